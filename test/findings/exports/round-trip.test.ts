import fc from 'fast-check';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFindingsStore } from '../../../src/findings/findings-store.ts';
import { NO_SUPPRESSIONS, type IngestInput } from '../../../src/findings/findings.ts';
import type { ReportEvent } from '../../../src/model/report.ts';
import { nativeFormat } from '../../../src/scanners/native/format.ts';
import type { ReportFormat } from '../../../src/scanners/report-format.ts';
import { sarifFormat } from '../../../src/scanners/sarif/parse.ts';
import { anyFinding, END, placed, SCAN_ID, stream } from '../reports.ts';
import { HEADER } from './sources.ts';

const NEVER = new AbortController().signal;
const { whole: _whole, source: _source, ...RECORD } = HEADER;

const scopes: fc.Arbitrary<ReportEvent> = fc
  .record({
    place: fc.constantFrom('10.0.0.1', undefined),
    tcpPorts: fc.constantFrom('1-1024', 'all', undefined),
    families: fc.constantFrom(['tls', 'http'], undefined),
    reportsMore: fc.constantFrom(true, undefined),
    rulesAsOf: fc.constantFrom('2026-01-02T03:04:05.000Z', undefined),
  })
  .map((scope) => ({ kind: 'scope', scope: JSON.parse(JSON.stringify(scope)) }));

const reports = fc.record({
  findings: fc.array(anyFinding, { maxLength: 15 }),
  scope: fc.array(scopes, { maxLength: 2 }),
  status: fc.constantFrom('tested' as const, 'partial' as const, 'unreachable' as const),
  isWhole: fc.boolean(),
});

const checks: ReportEvent = { kind: 'checks', lookedFor: ['tls'], notLookedFor: ['smb: no port was open'] };

/** Exports findings, reads the file as a report, stores that, and gives both in one plain form. */
async function thereAndBack(
  format: 'sarif' | 'jsonl',
  reader: ReportFormat,
  events: readonly ReportEvent[],
): Promise<{ readonly before: unknown; readonly after: unknown }> {
  const folder = await mkdtemp(join(tmpdir(), 'round-trip-'));
  const store = createFindingsStore({ exportsFolder: join(folder, 'exports') });
  const ingest = async (name: string, engine: string, from: IngestInput['events']) => {
    const input = {
      scanId: SCAN_ID,
      epoch: 1,
      engine,
      folder: join(folder, name),
      targets: 'as_reported',
      events: from,
    } as const;
    const { artefact, readError, ...facts } = await store.ingest(input);
    if (readError) throw readError;
    const ref = { file: join(folder, name, artefact.path), scanId: SCAN_ID };
    const record = { ...RECORD, coverage: facts.coverage };
    const write = (as: 'sarif' | 'jsonl') =>
      store.export(
        { kind: 'findings', format: as, scanId: SCAN_ID, ref, record, filter: {}, suppressions: NO_SUPPRESSIONS },
        NEVER,
      );
    const lines = (await readFile((await write('jsonl')).path, 'utf8')).trimEnd().split('\n').slice(1);
    const { coverage, ended, findings, bySeverity } = facts;
    return {
      plain: { coverage, ended, findings, bySeverity, lines: lines.map((line): unknown => JSON.parse(line)) },
      write,
    };
  };
  try {
    const first = await ingest('first', 'baseline', stream(events));
    const { path } = await first.write(format);
    const second = await ingest('second', reader.engine, reader.parse(createReadStream(path)));
    return { before: first.plain, after: second.plain };
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

describe.each([
  ['jsonl', nativeFormat],
  ['sarif', sarifFormat],
] as const)('an import of the %s export', (format, reader) => {
  it('is what was exported: every finding, fingerprint, number, place, scope and count', async () => {
    await fc.assert(
      fc.asyncProperty(reports, async ({ findings, scope, status, isWhole }) => {
        const events = [...findings, ...scope, placed('10.0.0.1', status), placed('app.test', 'tested'), checks];
        const { before, after } = await thereAndBack(format, reader, isWhole ? [...events, END] : events);
        expect(after).toEqual(before);
      }),
      { numRuns: 25 },
    );
  });
});
