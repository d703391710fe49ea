import {
  MAX_REPORT_RESOURCE,
  type ExportedFile,
  type ExportFormat,
  type ExportInput,
} from '../model/contract/export.ts';
import { AppError } from '../model/errors.ts';
import { NativeHeader } from '../model/native.ts';
import { isFinal, type ScanRecord } from '../model/scan.ts';
import type { FindingFilter, FindingsStore } from '../findings/findings.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScanAudited } from './find-scan.ts';
import { filterOf } from './finding-filter.ts';
import { coverageOfScan, verdictOfScan } from './outcome.ts';
import { lookedAt } from './summaries.ts';
import { sumOf } from './tally.ts';

type Deps = Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'audit' | 'suppressions'>;

export type ExportReport = (input: ExportInput, ask: Ask) => Promise<ExportedFile>;

/**
 * Writes the findings of a finished scan, or its raw report, to a file. The same export again is the same file.
 * @throws AppError scan_not_found, scan_not_finished, invalid_request, storage_full, storage_unusable
 */
export function createExportReport(deps: Deps): ExportReport {
  return async (input, { caller, traceId, signal }) => {
    const asked = { caller, action: 'export', scanId: input.scan_id, traceId } as const;
    const scan = await findScanAudited(deps, asked);
    if (!isFinal(scan.state))
      throw new AppError('scan_not_finished', `The scan is ${scan.state}; it can be exported when it ends.`);
    const filters = filtersOf(input);
    const { format } = input;
    const exported =
      format === 'native'
        ? await exportNative(deps, scan, { filters, signal })
        : await exportFindings(deps, scan, { filters, format, signal });
    const { path, bytes, sha256, mediaType, counts } = exported;
    await deps.audit({
      ...asked,
      decision: 'allowed',
      detail: { format, filters: Object.keys(filters), sha256, ...(counts && { findings: counts.total }) },
    });
    return {
      summary: summaryOf(scan, { format, filters, counts }),
      // A resource is the whole report, in one message.
      ...(Object.keys(filters).length === 0 &&
        bytes <= MAX_REPORT_RESOURCE && { resource_uri: `scan://${scan.scanId}/report/${format}` }),
      path,
      media_type: mediaType,
      bytes,
      sha256,
      ...(counts && { findings: counts.written }),
    };
  };
}

type Filters = FindingFilter & { readonly include_suppressed?: boolean };

const filtersOf = (input: ExportInput): Filters => ({
  ...filterOf(input),
  ...(input.include_suppressed && { include_suppressed: true }),
});

const inWords = (filters: Filters): string[] =>
  Object.entries(filters)
    .filter(([name]) => name !== 'include_suppressed')
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);

interface Wanted {
  readonly filters: Filters;
  readonly signal: AbortSignal;
}

async function exportFindings(
  { findings, files, suppressions }: Deps,
  scan: ScanRecord,
  { filters, format, signal }: Wanted & { readonly format: Exclude<ExportFormat, 'native'> },
) {
  const file = files.findingsOf(scan);
  const coverage = coverageOfScan(scan);
  const record = {
    scan: scanFacts(scan),
    engine: scan.engine,
    coverage,
    ...(scan.error && { error: scan.error }),
    filtered: inWords(filters),
    summary: lookedAt(verdictOfScan(scan), coverage, scan.origin),
  };
  return findings.export(
    {
      kind: 'findings',
      format,
      scanId: scan.scanId,
      ...(file === undefined ? {} : { ref: { file, scanId: scan.scanId } }),
      record,
      filter: filters,
      suppressions: await suppressions.inForce(scan.tenant),
    },
    signal,
  );
}

const iso = (at: number): string => new Date(at).toISOString();

/** Cleaned by its schema: name and targets are callers' words. */
const scanFacts = ({ request, ...scan }: ScanRecord): NativeHeader['scan'] =>
  NativeHeader.shape.scan.parse({
    scan_id: scan.scanId,
    name: scan.name,
    origin: scan.origin,
    state: scan.state,
    verdict: verdictOfScan(scan),
    access: request.access,
    targets: request.targets,
    created_at: iso(scan.createdAt),
    started_at: scan.startedAt === undefined ? undefined : iso(scan.startedAt),
    finished_at: scan.finishedAt === undefined ? undefined : iso(scan.finishedAt),
  });

function exportNative({ findings, files }: Deps, scan: ScanRecord, { filters, signal }: Wanted) {
  if (Object.keys(filters).length > 0)
    throw new AppError('invalid_request', 'native is the report of the engine as it is: it cannot be filtered.', {
      hint: 'Leave the filters out, or use another format.',
    });
  const report = scan.result?.artefacts.find(({ kind }) => kind === 'raw_report');
  if (!report)
    throw new AppError('invalid_request', 'The scan ended before its engine wrote a report.', {
      hint: 'Use another format: it says what was and was not looked at.',
    });
  const { scanId } = scan;
  return findings.export(
    { kind: 'native', scanId, report: files.pathOf(scanId, report), sha256: report.sha256 },
    signal,
  );
}

interface Written {
  readonly format: ExportFormat;
  readonly filters: Filters;
  readonly counts: Awaited<ReturnType<FindingsStore['export']>>['counts'];
}

function summaryOf(scan: ScanRecord, { format, filters, counts }: Written): string {
  const looked = lookedAt(verdictOfScan(scan), coverageOfScan(scan), scan.origin);
  if (!counts) return `The engine's own report is in the file. ${looked}`;
  const { total, written, totalUnfiltered } = counts;
  const suppressed = sumOf(counts.suppressed);
  const names = Object.keys(filters).filter((name) => name !== 'include_suppressed');
  const filtered =
    names.length === 0
      ? ''
      : ` ${total} of ${totalUnfiltered} match the ${names.length === 1 ? 'filter' : 'filters'} ${names.join(', ')}.`;
  const left = suppressed > 0 ? ` ${suppressed} suppressed left out.` : '';
  const findings = `${written} finding${written === 1 ? '' : 's'} exported as ${format}`;
  return `${findings}${written < total ? ` of ${total}: ${WHICH[format] ?? 'those that fit'}` : ''}.${filtered}${left} ${looked}`;
}

/** What is in files that do not hold every finding. */
const WHICH: Readonly<Partial<Record<ExportFormat, string>>> = {
  openvex: 'those that name a CVE or an advisory',
  cyclonedx_vex: 'those that name a CVE or an advisory',
  html: 'the most urgent',
  markdown: 'the most urgent',
};
