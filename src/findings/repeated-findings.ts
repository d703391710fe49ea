import { hash } from 'node:crypto';
import { occurrenceFingerprint, RuleFacts } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { addressKey } from './address-key.ts';
import { PRINT_BYTES, StoredOccurrence } from './layout.ts';

/** Findings of one report that have the same plain fingerprint, gathered to be told apart. */
export interface RepeatedFindings {
  /** @param finding Number in the report; @param group The same for all with one fingerprint. */
  add(group: number, finding: number): void;
  /** Every finding with the fingerprint it gets. */
  toldApart(): IterableIterator<readonly [finding: number, print: Buffer]>;
}

/**
 * What tells repeats apart: the address (several of one host name), the version of the package, what was seen and said,
 * the line of the file, all the finding has for itself, its rule. The line comes after what is said: lines move when
 * something is written above them, and then one would have the line another had. The rule comes last: scores that are
 * added to it change from day to day.
 */
const TRAITS = ['address', 'version', 'said', 'line', 'body', 'rule'] as const;

/** On disk, so that a report that repeats itself a million times does not fill memory. */
const CREATE = `CREATE TABLE repeated (class INTEGER NOT NULL, address TEXT NOT NULL, version TEXT NOT NULL,
  said TEXT NOT NULL, line INTEGER NOT NULL, body TEXT NOT NULL, rule TEXT NOT NULL, finding INTEGER NOT NULL,
  PRIMARY KEY (class, ${TRAITS.join()}, finding)) WITHOUT ROWID`;

const digest = (text: string): string => hash('sha256', text);

/**
 * What a finding has to tell it from its repeats, in the order of `TRAITS`.
 * @param bodyJson,ruleJson As they stand in the file
 */
export function traitsOf(bodyJson: string, ruleJson: string) {
  const stored = StoredOccurrence.parse(JSON.parse(bodyJson));
  const { ip = '', line = -1, version = '' } = stored.location;
  // Which signals there are depends on the release of scanmux.
  const body = JSON.stringify({ ...stored, injection_signals: undefined });
  const { title, description } = RuleFacts.parse(JSON.parse(ruleJson));
  const said = JSON.stringify([stored.untrusted, title, description]);
  return [addressKey(ip) ?? ip, version, digest(said), line, digest(body), digest(ruleJson)] as const;
}

type Row = Readonly<Record<string, unknown>>;

/** How many traits two rows share from the left; -1 when they are of different groups. */
function sharedTraits(one: Row | undefined, two: Row | undefined): number {
  if (one === undefined || two === undefined || one['class'] !== two['class']) return -1;
  const different = TRAITS.findIndex((trait) => one[trait] !== two[trait]);
  return different === -1 ? TRAITS.length : different;
}

/** Each with the one before and the one after it. */
function* withNeighbours(rows: Iterable<Row>): IterableIterator<readonly [Row | undefined, Row, Row | undefined]> {
  let before: Row | undefined;
  let here: Row | undefined;
  for (const after of rows) {
    if (here) yield [before, here, after];
    before = here;
    here = after;
  }
  if (here) yield [before, here, undefined];
}

/**
 * A finding is named by as many of its traits as no other of its group shares, never by a rank among them: when some of
 * a group go, none of those that stay gets a fingerprint that one with other traits had. Only findings that are the same
 * in everything are counted.
 * @param ruleOf Rule of a finding; @param prints Plain fingerprints by finding.
 */
export function createRepeatedFindings(
  { db, staging }: { db: Database; staging: Database },
  ruleOf: (finding: number) => number,
  prints: Uint8Array,
): RepeatedFindings {
  staging.exec(CREATE);
  const insert = staging.prepare('INSERT INTO repeated VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const readRule = db.prepare('SELECT json FROM rule WHERE id = ?');
  const readBody = db.prepare('SELECT json FROM body WHERE id = ?');
  const plainPrint = (finding: number): string =>
    Buffer.from(prints.subarray(finding * PRINT_BYTES, (finding + 1) * PRINT_BYTES)).toString('hex');
  return {
    add(group, finding) {
      const rule = String(readRule.get(ruleOf(finding))?.['json']);
      const body = String(readBody.get(finding)?.['json']);
      insert.run(group, ...traitsOf(body, rule), finding);
    },
    *toldApart() {
      const columns = `class, ${TRAITS.join()}`;
      const distinct = staging.prepare(
        `SELECT ${columns}, count(*) AS times, min(finding) AS finding FROM repeated GROUP BY ${columns} ORDER BY ${columns}`,
      );
      const same = staging.prepare(
        `SELECT finding FROM repeated WHERE class = ? ${TRAITS.map((trait) => `AND ${trait} = ?`).join(' ')} ORDER BY finding`,
      );
      for (const [before, row, after] of withNeighbours(distinct.iterate())) {
        const needed = Math.max(sharedTraits(before, row), sharedTraits(row, after)) + 1;
        const traits = TRAITS.slice(0, needed).map((trait) => String(row[trait]));
        const plain = plainPrint(Number(row['finding']));
        const all =
          row['times'] === 1 ? [row] : same.iterate(Number(row['class']), ...TRAITS.map((trait) => String(row[trait])));
        let n = 0;
        for (const { finding } of all) {
          n += 1;
          yield [Number(finding), Buffer.from(occurrenceFingerprint(plain, traits, n), 'hex')];
        }
      }
    },
  };
}
