import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ExportRequest } from '../../../src/findings/exports/export-job.ts';
import { WRITTEN_FORMATS } from '../../../src/findings/exports/formats.ts';
import { pruneExports } from '../../../src/findings/exports/prune.ts';
import { fillWithText, writeOnce } from '../../../src/findings/exports/write-file.ts';
import { NO_SUPPRESSIONS, type Suppressions } from '../../../src/findings/findings.ts';
import { createFindingsStore } from '../../../src/findings/findings-store.ts';
import { NativeEndLine, NativeFindingLine, NativeHeader } from '../../../src/model/native.ts';
import type { ReportEvent } from '../../../src/model/report.ts';
import { address, END, found, placed, SCAN_ID, stream, tempFolder } from '../reports.ts';
import { HEADER } from './sources.ts';

const NEVER = new AbortController().signal;
const { whole: _whole, source: _source, ...RECORD } = HEADER;

async function exporter(events: readonly ReportEvent[]) {
  const folder = await tempFolder();
  const exportsFolder = join(folder, 'exports');
  const store = createFindingsStore({ exportsFolder });
  onTestFinished(() => store.close());
  const ingested = await store.ingest({
    scanId: SCAN_ID,
    epoch: 1,
    engine: 'baseline',
    folder: join(folder, 'scan'),
    targets: [address('10.0.0.1')],
    events: stream(events),
  });
  const ref = { file: join(folder, 'scan', ingested.artefact.path), scanId: SCAN_ID };
  const base = {
    kind: 'findings',
    scanId: SCAN_ID,
    ref,
    record: RECORD,
    filter: {},
    suppressions: NO_SUPPRESSIONS,
  } as const;
  return {
    exportsFolder,
    ref,
    store,
    run: (request: Partial<Extract<ExportRequest, { kind: 'findings' }>> = {}, signal = NEVER) =>
      store.export({ ...base, format: 'jsonl', ...request }, signal),
  };
}

const EVENTS: readonly ReportEvent[] = [
  { kind: 'source', source: { tool: 'probe', version: '2.1' } },
  { kind: 'scope', scope: { tcpPorts: '1-100', families: ['tls'] } },
  placed('10.0.0.1', 'tested'),
  found({ severity: 'low', location: { ip: '10.0.0.1', port: 80 } }),
  found({ severity: 'critical', location: { ip: '10.0.0.1', port: 443 }, cves: ['CVE-2024-3094'] }),
  END,
];
const linesOf = async (path: string): Promise<unknown[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

describe('an export out of a findings file', () => {
  it('holds what the file holds, most urgent first, in the words of the line schemas', async () => {
    const { run } = await exporter(EVENTS);
    const { path, counts, mediaType } = await run();
    const [header, place, scope, ...rest] = await linesOf(path);
    expect(NativeHeader.parse(header)).toMatchObject({
      engine: 'baseline',
      whole: true,
      source: { tool: 'probe', version: '2.1' },
      filtered: [],
    });
    expect(place).toEqual({ place: { place: '10.0.0.1', status: 'tested' } });
    expect(scope).toEqual({ scope: { tcp_ports: '1-100', families: ['tls'] } });
    expect(NativeEndLine.parse(rest.at(-1))).toEqual({ end: true, findings: 2 });
    const findings = rest.slice(0, -1).map((line) => NativeFindingLine.parse(line));
    expect(findings.map(({ severity, finding_id: id }) => [severity, id])).toEqual([
      ['critical', `${SCAN_ID}.1`],
      ['low', `${SCAN_ID}.2`],
    ]);
    expect([counts?.total, mediaType]).toEqual([2, 'application/x-ndjson']);
  });

  it.each(WRITTEN_FORMATS)(
    'is a private file with the told length and hash, and the same again: %s',
    async (format) => {
      const { run, exportsFolder } = await exporter(EVENTS);
      const first = await run({ format });
      const content = await readFile(first.path);
      expect(createHash('sha256').update(content).digest('hex')).toBe(first.sha256);
      expect(content.length).toBe(first.bytes);
      expect((await stat(first.path)).mode & 0o777).toBe(0o600);
      expect(await readFile(`${first.path}.sha256`, 'utf8')).toMatch(new RegExp(`^${first.sha256}  ${SCAN_ID}-`));
      const inode = (await stat(first.path)).ino;
      expect(await run({ format })).toEqual(first);
      expect((await stat(first.path)).ino).toBe(inode);
      expect(await readdir(join(exportsFolder, SCAN_ID))).toHaveLength(2);
    },
  );

  it('is written anew when somebody changed the file', async () => {
    const { run } = await exporter(EVENTS);
    const first = await run();
    await writeFile(first.path, 'changed');
    expect(await run()).toEqual(first);
    expect((await stat(first.path)).size).toBe(first.bytes);
  });

  it('takes the filters, and says so in the file', async () => {
    const { run } = await exporter(EVENTS);
    const { path, counts } = await run({
      filter: { min_severity: 'high' },
      record: { ...RECORD, filtered: ['min_severity: high'] },
    });
    expect(counts?.total).toBe(1);
    const [header] = await linesOf(path);
    expect(header).toMatchObject({ filtered: ['min_severity: high'] });
    await expect(run({ filter: { cve: 'x' } })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('leaves suppressed findings out and counts them, except where the format is about them', async () => {
    const { run } = await exporter(EVENTS);
    const entry = {
      engine: 'baseline',
      rule_id: 'rule-1',
      status: 'false_positive',
      reason: 'why',
      who: 'me',
      expiresAt: 4e12,
    } as const;
    const suppressions: Suppressions = { version: '1', entries: [entry] };
    const plain = await run({ suppressions });
    expect(plain.counts).toMatchObject({ total: 0, suppressed: { critical: 1, high: 0, medium: 0, low: 1, info: 0 } });
    const all = await run({ suppressions, filter: { include_suppressed: true } });
    const lines = await linesOf(all.path);
    expect(
      lines.filter((line) => NativeFindingLine.safeParse(line).data?.suppression?.status === 'false_positive'),
    ).toHaveLength(2);
    const vex = await run({ suppressions, format: 'openvex' });
    expect(await readFile(vex.path, 'utf8')).toContain('"not_affected"');
  });

  it('is truthful when nothing was stored', async () => {
    const { store } = await exporter([]);
    const base = {
      kind: 'findings',
      scanId: SCAN_ID,
      record: RECORD,
      filter: {},
      suppressions: NO_SUPPRESSIONS,
    } as const;
    for (const format of WRITTEN_FORMATS.filter((name) => name !== 'openvex')) {
      const { counts, path } = await store.export({ ...base, format }, NEVER);
      expect(counts?.total).toBe(0);
      // What was not looked at is told wherever there is a place for it; CSV has rows only.
      if (format !== 'csv') expect(await readFile(path, 'utf8'), format).toContain('smb: no port was open');
    }
    await expect(store.export({ ...base, format: 'openvex' }, NEVER)).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const { run, exportsFolder } = await exporter(EVENTS);
    const cancelled = AbortSignal.abort();
    const folder = join(exportsFolder, SCAN_ID);
    const endless = function* () {
      for (;;) yield 'x'.repeat(100);
    };
    const writing = writeOnce({ folder, name: 'a', signal: cancelled }, fillWithText(endless, cancelled));
    await expect(writing).rejects.toMatchObject({ code: 'scan_aborted' });
    expect(await readdir(folder)).toEqual([]);
    await expect(run()).resolves.toMatchObject({ counts: { total: 2 } });
  });

  it('leaves nothing behind when it fails, and says what a folder that cannot be written is', async () => {
    const folder = await tempFolder();
    const failing = function* () {
      yield 'half';
      throw new Error('defect');
    };
    await expect(writeOnce({ folder, name: 'a', signal: NEVER }, fillWithText(failing, NEVER))).rejects.toThrow(
      'defect',
    );
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, 'file'), '');
    const inside = { folder: join(folder, 'file', 'x'), name: 'a', signal: NEVER };
    await expect(
      writeOnce(
        inside,
        fillWithText(() => ['x'], NEVER),
      ),
    ).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('copies the report of the engine as it is', async () => {
    const { store, exportsFolder } = await exporter(EVENTS);
    const folder = await tempFolder();
    const cases = [
      ['\uFEFF<?xml version="1.0"?><nmaprun/>', 'application/xml'],
      ['{"a":1}\n{"a":2}\n', 'application/x-ndjson'],
      ['[\n{"a":1}\n]', 'application/json'],
      ['\u0000\u0001', 'application/octet-stream'],
      ['', 'application/octet-stream'],
    ] as const;
    for (const [at, [content, mediaType]] of cases.entries()) {
      const report = join(folder, `report-${at}`);
      await writeFile(report, content);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const made = await store.export({ kind: 'native', scanId: SCAN_ID, report, sha256 }, NEVER);
      expect(made).toMatchObject({ mediaType, sha256 });
      expect(await readFile(made.path, 'utf8')).toBe(content);
      expect(made.path.startsWith(join(exportsFolder, SCAN_ID))).toBe(true);
    }
    const report = join(folder, 'report-0');
    const changed = store.export({ kind: 'native', scanId: SCAN_ID, report, sha256: 'a'.repeat(64) }, NEVER);
    await expect(changed).rejects.toMatchObject({ code: 'storage_unusable' });
    const gone = store.export({ kind: 'native', scanId: SCAN_ID, report: join(folder, 'gone'), sha256: '' }, NEVER);
    await expect(gone).rejects.toMatchObject({ code: 'storage_unusable' });
  });
});

describe('the last of the disk', () => {
  const MIB = 1 << 20;
  /** A disk with so much room when it is first looked at, then so much. */
  const disk = (...rooms: readonly number[]) => {
    let looks = 0;
    return async () => {
      looks += 1;
      return rooms[Math.min(looks, rooms.length) - 1] ?? 0;
    };
  };
  const write = async (free: () => Promise<number>, pieces: () => Iterable<string>, over: object = {}) => {
    const folder = await tempFolder();
    const target = { folder, name: 'a', signal: NEVER, keepFree: 5 * MIB, free, ...over };
    return { folder, writing: writeOnce(target, fillWithText(pieces, NEVER)) };
  };

  it('is left alone: nothing is begun', async () => {
    let isBegun = false;
    const pieces = () => {
      isBegun = true;
      return ['x'];
    };
    const { folder, writing } = await write(disk(5 * MIB - 1), pieces);
    await expect(writing).rejects.toMatchObject({ code: 'storage_full', hint: expect.stringMatching(/reserve/) });
    expect([isBegun, await readdir(folder)]).toEqual([false, []]);
    const known = await write(disk(6 * MIB), pieces, { leastBytes: 2 * MIB });
    await expect(known.writing).rejects.toMatchObject({ code: 'storage_full' });
    expect(isBegun).toBe(false);
    await expect((await write(disk(5 * MIB), pieces)).writing).resolves.toMatchObject({ bytes: 1 });
  });

  it.each([
    ['what is written', 'x'.repeat(100_000)],
    ['what is sorted beside it', ''],
  ])('stops %s, and no half file stays', async (_, piece) => {
    const endless = function* () {
      for (;;) yield piece;
    };
    const { folder, writing } = await write(disk(100 * MIB, 50 * MIB, MIB), endless);
    await expect(writing).rejects.toMatchObject({ code: 'storage_full' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is left to scans by every format; what is there already is handed out', async () => {
    const { run, exportsFolder, ref } = await exporter(EVENTS);
    const full = createFindingsStore({ exportsFolder, exportsKeepFree: Number.MAX_SAFE_INTEGER });
    onTestFinished(() => full.close());
    const base = { kind: 'findings', scanId: SCAN_ID, ref, record: RECORD, filter: {} } as const;
    const refused = { code: 'storage_full' };
    for (const format of WRITTEN_FORMATS) {
      const request = { ...base, format, suppressions: NO_SUPPRESSIONS };
      await expect(full.export(request, NEVER), format).rejects.toMatchObject(refused);
    }
    const native = { kind: 'native', scanId: SCAN_ID, report: ref.file, sha256: 'x' } as const;
    await expect(full.export(native, NEVER)).rejects.toMatchObject(refused);
    const made = await run({ format: 'csv' });
    expect(await full.export({ ...base, format: 'csv', suppressions: NO_SUPPRESSIONS }, NEVER)).toEqual(made);
    expect(await readdir(join(exportsFolder, SCAN_ID))).toHaveLength(2);
  });
});

describe('old exports', () => {
  const LIMITS = { minAgeMs: 5, maxAgeMs: 1_000_000, maxFiles: 2, maxBytes: 100 };
  const NOW = Date.parse('2026-11-21T00:00:00Z');

  async function folderWith(files: Readonly<Record<string, { bytes: number; ageMs: number }>>): Promise<string> {
    const root = await tempFolder();
    for (const [name, { bytes, ageMs }] of Object.entries(files)) {
      const path = join(root, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, 'x'.repeat(bytes));
      await writeFile(`${path}.sha256`, '');
      const at = new Date(NOW - ageMs);
      await utimes(path, at, at);
    }
    return root;
  }
  const left = async (root: string): Promise<string[]> =>
    (await readdir(root, { recursive: true }))
      .filter((name) => name.includes('/') && !name.endsWith('.sha256'))
      .toSorted();

  it.each([
    ['age', { 'a/1': { bytes: 1, ageMs: 2_000_000 }, 'b/2': { bytes: 1, ageMs: 10 } }, ['b/2']],
    [
      'number',
      { 'a/1': { bytes: 1, ageMs: 30 }, 'a/2': { bytes: 1, ageMs: 10 }, 'b/3': { bytes: 1, ageMs: 20 } },
      ['a/2', 'b/3'],
    ],
    ['size', { 'a/1': { bytes: 60, ageMs: 10 }, 'a/2': { bytes: 60, ageMs: 20 } }, ['a/1']],
    ['left temporary', { 'a/1.tmp': { bytes: 1, ageMs: 90_000_000 }, 'a/2.tmp': { bytes: 1, ageMs: 10 } }, ['a/2.tmp']],
  ])('go by %s, with their sums and empty folders', async (_, files, expected) => {
    const root = await folderWith(files);
    await pruneExports(root, { keep: 'none', limits: LIMITS, now: NOW });
    expect(await left(root)).toEqual(expected);
    const sums = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.sha256'));
    expect(sums).toHaveLength(expected.length);
  });

  it('stay while whoever asked for them may be reading', async () => {
    const root = await folderWith({
      'a/1': { bytes: 60, ageMs: 3 },
      'a/2': { bytes: 60, ageMs: 4 },
      'b/3': { bytes: 60, ageMs: 2 },
      'b/4': { bytes: 60, ageMs: 6 },
    });
    await pruneExports(root, { keep: 'none', limits: LIMITS, now: NOW });
    expect(await left(root)).toEqual(['a/1', 'a/2', 'b/3']);
  });

  it('are new again when they are asked for again, before they are read', async () => {
    const folder = await tempFolder();
    const target = { folder, name: 'a', signal: NEVER };
    const fill = fillWithText(() => ['x'], NEVER);
    const { path } = await writeOnce(target, fill);
    await utimes(path, 0, 0);
    // Also where it proves to be another file in the end.
    await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  a\n`);
    const again = AbortSignal.abort();
    await expect(writeOnce({ ...target, signal: again }, fill)).rejects.toMatchObject({ code: 'scan_aborted' });
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(3_600_000);
  });

  it('never take the one just made with them, and a folder that is not there is no failure', async () => {
    const root = await folderWith({ 'a/old': { bytes: 500, ageMs: 2_000_000 } });
    await pruneExports(root, { keep: join(root, 'a/old'), limits: LIMITS, now: NOW });
    expect(await left(root)).toEqual(['a/old']);
    await expect(
      pruneExports(join(root, 'absent'), { keep: 'none', limits: LIMITS, now: NOW }),
    ).resolves.toBeUndefined();
  });
});
