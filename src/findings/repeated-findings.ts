import { hash } from 'node:crypto';
import { occurrenceFingerprint } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { addressKey } from './address-key.ts';
import { PRINT_BYTES, StoredOccurrence } from './layout.ts';

/** Findings of one report that have the same plain fingerprint, gathered to be told apart. */
export interface RepeatedFindings {
  /** @param finding Number in the report; @param group The same for all with one fingerprint. */
  add(group: number, finding: number): void;
  /** Every finding with the fingerprint it gets; the first of each group keeps the plain one and is left out. */
  numbered(): IterableIterator<readonly [finding: number, print: Buffer]>;
}

/** On disk, so that a report that repeats itself a million times does not fill memory. */
const CREATE = `CREATE TABLE repeated (class INTEGER NOT NULL, address TEXT NOT NULL, line INTEGER NOT NULL,
  version TEXT NOT NULL, content TEXT NOT NULL, finding INTEGER NOT NULL,
  PRIMARY KEY (class, address, line, version, content, finding)) WITHOUT ROWID`;

/**
 * What they say decides which is the first, never their order in the report: the address (several of one host name), the
 * line of the file, the version of the package, and then the whole content, which is all there is to tell the rest
 * apart. The rule comes last: scores that are added to it change from day to day.
 * @param ruleOf Rule of a finding; @param prints Plain fingerprints by finding.
 */
export function createRepeatedFindings(
  { db, staging }: { db: Database; staging: Database },
  ruleOf: (finding: number) => number,
  prints: Uint8Array,
): RepeatedFindings {
  staging.exec(CREATE);
  const insert = staging.prepare('INSERT INTO repeated VALUES (?, ?, ?, ?, ?, ?)');
  const readRule = db.prepare('SELECT json FROM rule WHERE id = ?');
  const readBody = db.prepare('SELECT json FROM body WHERE id = ?');
  const plainPrint = (finding: number): string =>
    Buffer.from(prints.subarray(finding * PRINT_BYTES, (finding + 1) * PRINT_BYTES)).toString('hex');
  return {
    add(group, finding) {
      const rule = String(readRule.get(ruleOf(finding))?.['json']);
      const body = String(readBody.get(finding)?.['json']);
      const { ip = '', line = -1, version = '' } = StoredOccurrence.parse(JSON.parse(body)).location;
      const content = `${hash('sha256', body)} ${hash('sha256', rule)}`;
      insert.run(group, addressKey(ip) ?? ip, line, version, content, finding);
    },
    *numbered() {
      let group: unknown;
      let n = 0;
      const rows = staging.prepare(
        'SELECT class, finding FROM repeated ORDER BY class, address, line, version, content, finding',
      );
      for (const row of rows.iterate()) {
        n = row['class'] === group ? n + 1 : 1;
        group = row['class'];
        const finding = Number(row['finding']);
        if (n > 1) yield [finding, Buffer.from(occurrenceFingerprint(plainPrint(finding), n), 'hex')];
      }
    },
  };
}
