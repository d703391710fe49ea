import { z } from 'zod';
import { RuleFacts } from '../model/finding.ts';
import type { HostOfFinding } from './look-proof.ts';
import type { OpenFindings } from './open-findings.ts';

/** The few words of findings that no column holds, read one by one from disk and only where something depends on them. */
export interface FindingDetails {
  host(hostId: number): HostOfFinding;
  rule(ruleId: number): RuleInQuestion;
  place(index: number): PlaceWords;
}

const { rule_id, rule_family, severity, cves } = RuleFacts.shape;
/** Not strict: what else a rule says is not asked here. */
const RuleInQuestion = z.object({ rule_id, rule_family, severity, cves });
export type RuleInQuestion = z.infer<typeof RuleInQuestion>;

/** Not the schema of locations: its cleaning was done when the file was written, and a million may be read. */
const PlaceWords = z.object({
  protocol: z.string().optional(),
  url: z.string().optional(),
  package: z.string().optional(),
  fixed_version: z.string().optional(),
});
export type PlaceWords = z.infer<typeof PlaceWords>;

const Body = z.object({ location: PlaceWords });
const HostRow = z.object({ label: z.string(), name: z.string().nullable(), address_key: z.string().nullable() });

/** A row that is not there or does not fit throws: the reader of the file turns that into `storage_unusable`. */
export function createDetails(findings: OpenFindings): FindingDetails {
  const { db, body } = findings;
  const ruleById = new Map<number, RuleInQuestion>();
  const readRule = (id: number): RuleInQuestion => {
    const row = db.prepare('SELECT json FROM rule WHERE id = ?').get(id);
    const json: unknown = JSON.parse(String(row?.['json']));
    return RuleInQuestion.parse(json);
  };
  return {
    host(id) {
      const row = HostRow.parse(db.prepare('SELECT label, name, address_key FROM host WHERE id = ?').get(id));
      return { label: row.label, name: row.name ?? undefined, addressKey: row.address_key ?? undefined };
    },
    rule(id) {
      const known = ruleById.get(id) ?? readRule(id);
      ruleById.set(id, known);
      return known;
    },
    place(index) {
      const row = db.prepare('SELECT json FROM body WHERE id = ?').get(body[index] ?? 0);
      const json: unknown = JSON.parse(String(row?.['json']));
      return Body.parse(json).location;
    },
  };
}
