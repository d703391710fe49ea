import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { IngestInput, Ingested } from '../../src/findings/findings.ts';
import { ingest, INGEST_LIMITS } from '../../src/findings/ingest.ts';
import type { IngestLimits } from '../../src/findings/ingest.ts';
import { FINDING_COLUMNS, RULE_COLUMNS } from '../../src/findings/layout.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import type { Database, Row } from '../../src/platform/sqlite.ts';
import { address, SCAN_ID, stream } from './reports.ts';

/** A finding as it stands in a file, put together by the plainest means: what the reading half is checked against too. */
export interface WrittenFinding {
  readonly fingerprint: string;
  readonly rule: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly host: Row;
  readonly port: number;
}

/** Everything a findings file holds, read without any code of the reading half. */
export interface Written {
  readonly findings: readonly WrittenFinding[];
  readonly meta: Readonly<Record<string, string>>;
  readonly hosts: readonly Row[];
  readonly places: readonly Row[];
  readonly scopes: readonly unknown[];
  readonly cves: readonly Row[];
  readonly ruleNames: readonly Row[];
  readonly solutions: readonly Row[];
  /** By rule id. */
  readonly rules: readonly Readonly<Record<string, unknown>>[];
  /** By column name. */
  readonly ruleColumns: Readonly<Record<string, readonly number[]>>;
  /** Text to search in, by kind and id. */
  readonly words: Readonly<Record<'rule' | 'body', readonly string[]>>;
}

const json = (text: unknown): Readonly<Record<string, unknown>> => JSON.parse(String(text));

function blobs(db: Database): Map<string, Buffer> {
  const rows = db.prepare('SELECT name, data FROM columns').all();
  return new Map(
    rows.map(({ name, data }) => {
      if (!(data instanceof Uint8Array)) throw new Error('a column is no blob');
      return [String(name), Buffer.from(data)];
    }),
  );
}

/** Every number of a column, one by one. */
function numbers(bytes: Buffer, size: number, read: (at: number) => number): number[] {
  expectMultiple(bytes, size);
  return Array.from({ length: bytes.length / size }, (_, index) => read(index * size));
}

function expectMultiple(bytes: Buffer, size: number): void {
  if (bytes.length % size !== 0) throw new Error(`a column has ${bytes.length} bytes`);
}

function column(all: Map<string, Buffer>, name: string): number[] {
  const bytes = all.get(name);
  if (!bytes) throw new Error(`no column ${name}`);
  if (name === 'severity' || name === 'flags') return [...bytes];
  if (name === 'cvss' || name === 'epss') return numbers(bytes, 8, (at) => bytes.readDoubleLE(at));
  if (name === 'port') return numbers(bytes, 4, (at) => bytes.readInt32LE(at));
  return numbers(bytes, 4, (at) => bytes.readUInt32LE(at));
}

function wordsOf(db: Database, kind: string): string[] {
  const texts: string[] = [];
  for (const { first, offsets, text } of db.prepare('SELECT * FROM words WHERE kind = ? ORDER BY first').all(kind)) {
    if (!(offsets instanceof Uint8Array) || !(text instanceof Uint8Array)) throw new Error('words are no blobs');
    if (Number(first) !== texts.length) throw new Error(`a block does not begin at ${texts.length}`);
    const bytes = Buffer.from(text);
    const starts = numbers(Buffer.from(offsets), 4, (at) => Buffer.from(offsets).readUInt32LE(at));
    starts.forEach((start, index) => texts.push(bytes.toString('utf8', start, starts[index + 1] ?? bytes.length)));
  }
  return texts;
}

/** Rows of a table whose ids must be 0, 1, 2, ... */
function dense(db: Database, table: string): readonly Row[] {
  const rows = db.prepare(`SELECT * FROM ${table} ORDER BY id`).all();
  rows.forEach(({ id }, index) => {
    if (id !== index) throw new Error(`${table} has another id where ${index} belongs`);
  });
  return rows;
}

export function readWritten(path: string): Written {
  const db = openDatabase(path, { readOnly: true, journal: 'keep', schema: 'file' });
  try {
    const all = blobs(db);
    const [rule = [], host = [], body = [], port = []] = FINDING_COLUMNS.map((name) =>
      name === 'print' ? [] : column(all, name),
    );
    const prints = all.get('print') ?? Buffer.alloc(0);
    const rules = dense(db, 'rule').map((row) => json(row['json']));
    const bodies = dense(db, 'body').map((row) => json(row['json']));
    const hosts = dense(db, 'host');
    const at = <T>(list: readonly T[], index: number | undefined): T => {
      const item = list[index ?? -1];
      if (item === undefined) throw new Error(`no item ${index}`);
      return item;
    };
    return {
      findings: rule.map((id, index) => ({
        fingerprint: prints.toString('hex', index * 16, index * 16 + 16),
        rule: at(rules, id),
        body: at(bodies, body[index]),
        host: at(hosts, host[index]),
        port: at(port, index),
      })),
      meta: Object.fromEntries(
        db
          .prepare('SELECT * FROM meta')
          .all()
          .map(({ key, value }) => [String(key), String(value)]),
      ),
      hosts,
      places: db.prepare('SELECT * FROM place ORDER BY place').all(),
      scopes: dense(db, 'scope').map((row) => json(row['json'])),
      cves: db.prepare('SELECT * FROM rule_cve').all(),
      ruleNames: dense(db, 'rule_name'),
      solutions: dense(db, 'solution'),
      rules,
      ruleColumns: Object.fromEntries(RULE_COLUMNS.map((name) => [name, column(all, name)])),
      words: { rule: wordsOf(db, 'rule'), body: wordsOf(db, 'body') },
    };
  } finally {
    db.close();
  }
}

export async function ingestFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'findings-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const ingestInput = (
  folder: string,
  events: AsyncIterable<ReportEvent> | Iterable<ReportEvent>,
  over: Partial<IngestInput> = {},
): IngestInput => ({
  scanId: SCAN_ID,
  epoch: 1,
  engine: 'baseline',
  folder,
  targets: [address('10.0.0.1')],
  events: Symbol.asyncIterator in events ? events : stream(events),
  ...over,
});

export const ingestWith = (input: IngestInput, limits: Partial<IngestLimits> = {}): Promise<Ingested> =>
  ingest(input, { ...INGEST_LIMITS, ...limits }, silentLog);

/** Ingests events into a folder of their own and reads the file back. */
export async function written(
  events: Iterable<ReportEvent>,
  targets: readonly PinnedTarget[] | 'as_reported' = [address('10.0.0.1')],
  over: Partial<IngestInput> = {},
): Promise<Written & { readonly ingested: Ingested; readonly folder: string; readonly file: string }> {
  const folder = await ingestFolder();
  const ingested = await ingestWith(ingestInput(folder, events, { targets, ...over }));
  const file = join(folder, ingested.artefact.path);
  return { ...readWritten(file), ingested, folder, file };
}
