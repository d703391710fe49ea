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
      return hostOfRow(db.prepare('SELECT label, name, address_key FROM host WHERE id = ?').get(id));
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

export function hostOfRow(row: unknown): HostOfFinding {
  const { label, name, address_key: addressKey } = HostRow.parse(row);
  return { label, name: name ?? undefined, addressKey: addressKey ?? undefined };
}

const PROTOCOL_CHUNK = 50_000;

/** A row that holds this text is of TCP: quotes within texts are escaped. The others are read as JSON. */
const OTHER_PROTOCOLS = `SELECT b.id, json_extract(b.json, '$.location.protocol') AS protocol
  FROM json_each(?) AS asked JOIN body AS b ON b.id = asked.value
  WHERE instr(b.json, '"protocol":"tcp"') = 0`;

/** Protocols other than TCP of these findings with a port, by body. One question instead of one for each. */
export function readProtocols({ db, body, port }: OpenFindings, indices: Uint32Array): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const asked = indices.filter((index) => (port[index] ?? 0) > 0).map((index) => body[index] ?? 0);
  for (let from = 0; from < asked.length; from += PROTOCOL_CHUNK) {
    const ids = JSON.stringify([...asked.subarray(from, from + PROTOCOL_CHUNK)]);
    for (const { id, protocol } of db.prepare(OTHER_PROTOCOLS).iterate(ids)) {
      if (protocol !== null) found.set(Number(id), String(protocol));
    }
  }
  return found;
}
