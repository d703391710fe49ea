import { REPORTS } from './real-files.ts';
import { parse as parseCsv } from 'csv-parse/sync';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPORT_FORMATS } from '../../src/engines.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { NO_SUPPRESSIONS, type FindingsStore } from '../../src/findings/findings.ts';
import type { WrittenFormat } from '../../src/findings/exports/formats.ts';
import { nativeFormat } from '../../src/scanners/native/format.ts';
import { HEAD_BYTES, type ReportFormat } from '../../src/scanners/report-format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { HEADER } from '../findings/exports/sources.ts';
import { cycloneDxValidator, sarifValidator } from '../findings/exports/schemas.ts';

/** Reports of other projects lie beside the repository and are never copied into it. */
const SCAN_ID = 'scan_0123456789abcdefghjk';
const NEVER = new AbortController().signal;
const { whole: _whole, source: _source, ...RECORD } = HEADER;

const files = existsSync(REPORTS)
  ? readdirSync(REPORTS, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('/') && !/neg-|defused/.test(name))
      .toSorted()
  : [];

const formatOf = (path: string) => {
  const head = readFileSync(path).subarray(0, HEAD_BYTES);
  return REPORT_FORMATS.find((format) => format.detect(head));
};

describe('exports of reports of other projects', () => {
  if (files.length === 0) {
    it(`are not on this machine (${REPORTS}), so nothing was exported`, () => {
      expect(existsSync(REPORTS)).toBe(false);
    });
    return;
  }

  let folder = '';
  let store: FindingsStore;
  const table: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exports-'));
    store = createFindingsStore({ exportsFolder: join(folder, 'exports') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
    process.stdout.write(`report, findings, sarif results, csv rows, CVEs in CycloneDX\n${table.join('\n')}\n`);
  });
  const isSarif = sarifValidator();
  const isBom = cycloneDxValidator();

  for (const name of files.filter((file) => formatOf(join(REPORTS, file)) !== undefined)) {
    it(`${name}: valid, with every finding, in every format`, async () => {
      const path = join(REPORTS, name);
      const format = formatOf(path);
      if (!format) throw new Error('no format');
      const ingest = async (into: string, reader: ReportFormat, from: string) => {
        const { artefact, ...facts } = await store.ingest({
          scanId: SCAN_ID,
          epoch: 1,
          engine: reader.engine,
          folder: join(folder, name.replaceAll('/', '-'), into),
          targets: 'as_reported',
          events: reader.parse(createReadStream(from)),
        });
        const ref = { file: join(folder, name.replaceAll('/', '-'), into, artefact.path), scanId: SCAN_ID };
        const record = { ...RECORD, engine: facts.source.engine ?? reader.engine, coverage: facts.coverage };
        const request = {
          kind: 'findings',
          scanId: SCAN_ID,
          ref,
          record,
          filter: {},
          suppressions: NO_SUPPRESSIONS,
        } as const;
        const write = async (as: WrittenFormat): Promise<string> =>
          (await store.export({ ...request, format: as }, NEVER)).path;
        return {
          findings: facts.findings,
          write,
          textOf: async (as: WrittenFormat) => readFileSync(await write(as), 'utf8'),
        };
      };
      const { findings, write, textOf } = await ingest('first', format, path);
      const log = JSON.parse(await textOf('sarif'));
      isSarif(log);
      expect(isSarif.errors ?? []).toEqual([]);
      const bom = JSON.parse(await textOf('cyclonedx_vex'));
      isBom(bom);
      expect(isBom.errors ?? []).toEqual([]);
      const report = JSON.parse(await textOf('json'));
      const rows: unknown[] = parseCsv(await textOf('csv'), { columns: true, record_delimiter: '\r\n' });
      const lines = (await textOf('jsonl')).trimEnd().split('\n');
      expect([report.findings.length, rows.length, log.runs[0].results.length]).toEqual([findings, findings, findings]);
      expect(lines.filter((line) => line.startsWith('{"finding_id"'))).toHaveLength(findings);
      const cves = new Set(
        report.findings.flatMap(({ cves: named, rule_id: id }: { cves: string[]; rule_id: string }) =>
          named.length === 0 && /^(?:GHSA|NSWG-ECO)-/.test(id) ? [id] : named,
        ),
      );
      expect(new Set(bom.vulnerabilities.map(({ id }: { id: string }) => id))).toEqual(cves);
      if (cves.size > 0)
        expect(JSON.parse(await textOf('openvex')).statements.length).toBeGreaterThanOrEqual(cves.size);
      for (const page of ['html', 'markdown'] as const) expect(await textOf(page)).toContain('Verdict: partial');
      for (const [as, reader] of [
        ['jsonl', nativeFormat],
        ['sarif', sarifFormat],
      ] as const) {
        const again = await ingest(as, reader, await write(as));
        // The title of the report is now that of its scan.
        expect({ ...JSON.parse(await again.textOf('json')), source: report.source }).toEqual(report);
      }
      table.push([name, findings, log.runs[0].results.length, rows.length, cves.size].join(', '));
    });
  }
});
