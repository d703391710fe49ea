import { fingerprint } from '../model/finding.ts';
import type { ParsedFinding } from '../model/finding.ts';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import { newFileSettings, StoredFinding } from './findings-file.ts';
import { hostKeys } from './host-keys.ts';
import { injectionSignals } from './injection.ts';
import { mergeFindings } from './merge-findings.ts';
import { URGENCY_ORDER, urgencyKeys } from './urgency.ts';

const COLUMNS = [
  'fingerprint',
  'kev_key',
  'level_key',
  'likely_key',
  'epss_key',
  'cvss_key',
  'severity_key',
  'exploit',
  'host_label',
  'host_key',
  'host_name',
  'address_key',
  'port',
  'rule_id',
  'json',
  'search',
  'solution',
] as const;

const CREATE = `CREATE TABLE found (${COLUMNS.join(', ')}); CREATE UNIQUE INDEX found_once ON found (fingerprint);`;
const INSERT = `INSERT INTO found (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (fingerprint) DO NOTHING`;

/** Findings of one report on their way to a findings file: deduplicated on disk, not in memory. */
export interface Staging {
  /** Adds a batch in one transaction; a finding that is there already is merged. Returns how many were new. */
  add(findings: readonly ParsedFinding[]): number;
  /** Numbers all findings in the urgency order, from 1. Call once, after the last `add`. Returns how many. */
  rank(): number;
  close(): void;
}

/** @param path A new file that is thrown away afterwards; at most `maxBytes` large. */
export function openStaging(path: string, engine: string, maxBytes: number): Staging {
  const db = openDatabase(path, { journal: 'off', synchronous: 'off' });
  db.exec(newFileSettings(maxBytes));
  db.exec(CREATE);
  return {
    add: (findings) => db.writeNow(() => findings.reduce((added, finding) => added + addOne(db, engine, finding), 0)),
    rank() {
      // The fingerprint is unique: the order is total, and the same for every order of the report.
      db.exec(`CREATE TABLE ranked AS SELECT rowid AS source, row_number() OVER (ORDER BY ${URGENCY_ORDER}) AS number
        FROM found ORDER BY number`);
      db.exec('CREATE UNIQUE INDEX ranked_number ON ranked (number, source)');
      return Number(db.prepare('SELECT count(*) AS n FROM ranked').get()?.['n']);
    },
    close: () => db.close(),
  };
}

function addOne(db: Database, engine: string, finding: ParsedFinding): 0 | 1 {
  const print = fingerprint(engine, finding);
  if (db.prepare(INSERT).run(...valuesOf(print, finding)).changes === 1) return 1;
  const before = db.prepare('SELECT json FROM found WHERE fingerprint = ?').get(print);
  const { injection_signals: _signals, ...known } = StoredFinding.parse(JSON.parse(String(before?.['json'])));
  const set = COLUMNS.map((column) => `${column} = ?`).join(', ');
  db.prepare(`UPDATE found SET ${set} WHERE fingerprint = ?`).run(
    ...valuesOf(print, mergeFindings(known, finding)),
    print,
  );
  return 0;
}

function valuesOf(print: string, finding: ParsedFinding): (string | number | null)[] {
  const keys = urgencyKeys(finding);
  const host = hostKeys(finding.location);
  const { title, description, solution, untrusted, location } = finding;
  const words = [title, description, ...Object.values(untrusted)].filter((text) => text !== undefined);
  return [
    print,
    keys.kevKey,
    keys.levelKey,
    keys.likelyKey,
    keys.epssKey,
    keys.cvssKey,
    keys.severityKey,
    finding.exploit_available ? 1 : 0,
    host.label,
    host.order,
    host.name ?? null,
    host.address ?? null,
    location.port ?? null,
    finding.rule_id,
    JSON.stringify({ ...finding, injection_signals: injectionSignals(finding) }),
    words.join('\n').toLowerCase(),
    solution ?? '',
  ];
}

/** Copies findings `from` to `to` (numbers, inclusive) from the attached staging file `stage`. */
export function copyRanked(db: Database, from: number, to: number): void {
  const source = `FROM stage.ranked AS r JOIN stage.found AS f ON f.rowid = r.source WHERE r.number BETWEEN ? AND ?
    ORDER BY r.number`;
  db.writeNow(() => {
    db.prepare(`INSERT INTO finding SELECT r.number, f.fingerprint, f.severity_key, f.cvss_key, f.epss_key, f.kev_key,
      f.exploit, f.host_label, f.host_key, f.host_name, f.address_key, f.port, f.rule_id ${source}`).run(from, to);
    db.prepare(`INSERT INTO body SELECT r.number, f.json, f.search, f.solution ${source}`).run(from, to);
    db.prepare(`INSERT OR IGNORE INTO finding_cve SELECT c.value, r.number
      FROM stage.ranked AS r JOIN stage.found AS f ON f.rowid = r.source JOIN json_each(f.json, '$.cves') AS c
      WHERE r.number BETWEEN ? AND ?`).run(from, to);
  });
}
