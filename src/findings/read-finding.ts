import { RuleFacts } from '../model/finding.ts';
import { findingId } from '../model/ids.ts';
import type { Finding, Suppressions } from './findings.ts';
import { StoredOccurrence } from './layout.ts';
import type { OpenFindings } from './open-findings.ts';
import { damaged } from './reading.ts';
import { fingerprintAt, suppressedIn } from './suppressed.ts';

/** Rules kept in parsed form while a page, or an export, is made. */
const KEPT_RULES = 256;

/** Reads findings whole. Keep one for all findings of an answer: they share the words of their rules. */
export interface FindingReader {
  /** @throws AppError storage_unusable */
  at(index: number): Finding;
}

export function createFindingReader(file: OpenFindings, scanId: string, suppressions: Suppressions): FindingReader {
  const suppressed = suppressedIn(file, suppressions);
  const ruleWords = file.db.prepare('SELECT json FROM rule WHERE id = ?');
  const bodyWords = file.db.prepare('SELECT json FROM body WHERE id = ?');
  const parsed = (row: Readonly<Record<string, unknown>> | undefined): unknown => {
    if (typeof row?.['json'] !== 'string') throw damaged(file.path);
    return JSON.parse(row['json']);
  };
  const rules = new Map<number, RuleFacts>();
  const ruleOf = (id: number): RuleFacts => {
    const known = rules.get(id);
    if (known) return known;
    if (rules.size >= KEPT_RULES) rules.clear();
    const rule = RuleFacts.parse(parsed(ruleWords.get(id)));
    rules.set(id, rule);
    return rule;
  };
  return {
    at(index) {
      const rule = ruleOf(file.rule[index] ?? 0);
      const body = StoredOccurrence.parse(parsed(bodyWords.get(file.body[index] ?? 0)));
      const entry = suppressed.entryAt(index);
      return {
        finding_id: findingId(scanId, index + 1),
        fingerprint: fingerprintAt(file, index),
        engine: file.engine,
        ...rule,
        ...body,
        ...(entry === undefined
          ? {}
          : {
              suppression: {
                status: entry.status,
                reason: entry.reason,
                expires_at: new Date(entry.expiresAt).toISOString(),
              },
            }),
      };
    },
  };
}

/** One finding by its number; undefined when the file has no such number. */
export function readFinding(
  file: OpenFindings,
  scanId: string,
  number: number,
  suppressions: Suppressions,
): Finding | undefined {
  if (!Number.isSafeInteger(number) || number < 1 || number > file.count) return undefined;
  return createFindingReader(file, scanId, suppressions).at(number - 1);
}
