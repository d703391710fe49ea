import { AppError } from '../../../model/errors.ts';
import { refusalError, unreachable } from '../api/faults.ts';
import type { ExportFile, NessusApi } from '../api/nessus-api.ts';
import type { Timing } from '../api/timing.ts';
import type { Copied, ReportCopy } from './copy-report.ts';
import type { RemoteRun } from './remote-run.ts';

export interface ExportDeps {
  readonly api: NessusApi;
  readonly timing: Timing;
  /** For all of it, in milliseconds. */
  readonly limitMs: number;
  /** Called now and then while it goes on. */
  readonly atWork?: () => void;
}

const REQUESTS = 3;
const DOWNLOADS = 4;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Has the report of one run made and copies it. May be called again with the same copy when the scanner was away.
 * @returns false when there is nothing to export
 * @throws AppError scan_not_finished, report_unreadable, scanner_unreachable, and those of the client
 */
export async function exportReport(
  deps: ExportDeps,
  run: Pick<RemoteRun, 'id' | 'history_id'>,
  copy: ReportCopy,
  signal: AbortSignal,
): Promise<boolean> {
  const late = AbortSignal.timeout(deps.limitMs);
  try {
    return await exportInTime(deps, run, copy, AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    throw noReport(`It was not there within ${Math.round(deps.limitMs / 60_000)} minutes.`);
  }
}

async function exportInTime(
  deps: ExportDeps,
  run: Pick<RemoteRun, 'id' | 'history_id'>,
  copy: ReportCopy,
  signal: AbortSignal,
): Promise<boolean> {
  let why = '';
  for (let attempt = 1; attempt <= REQUESTS; attempt += 1) {
    const file = await request(deps, run, signal);
    if (!file) return false;
    const status = await readiness(deps, run, file, signal);
    if (status === 'ready') {
      const copied = await download(deps, downloadPaths(run, file), copy, signal);
      if (copied === 'whole') return true;
      why = WHY[copied];
      // Another export of the same run need not be the same bytes: what is there cannot be continued then.
      if (copied === 'differs') break;
    } else why = status === 'gone' ? 'It was gone before it could be fetched.' : 'The scanner could not make it.';
  }
  const cut = copy.bytes > 0 ? ` The first ${copy.bytes} bytes are kept.` : '';
  throw noReport(`${why}${cut}`);
}

const WHY: Readonly<Record<Exclude<Copied, 'whole'>, string>> = {
  cut: 'Its download broke off every time.',
  differs: 'Its download broke off, and came out different the next time.',
  no_report: 'What came is no .nessus report.',
};

const noReport = (why: string): AppError =>
  new AppError('report_unreadable', `The report could not be fetched from the scanner. ${why}`, {
    hint: 'The scan itself is done: export it by hand as .nessus and import it with import_report.',
  });

/** @returns undefined when there is nothing to export */
async function request(
  { api, timing, atWork }: ExportDeps,
  { id, history_id: history }: Pick<RemoteRun, 'id' | 'history_id'>,
  signal: AbortSignal,
): Promise<ExportFile | undefined> {
  let waitMs = FIRST_WAIT_MS;
  for (let faults = 0; ;) {
    const written = await api.requestExport(id, history, signal);
    if (written.kind === 'done' && downloadPaths({ id }, written.value).length > 0) return written.value;
    if (written.kind === 'refused' && written.status === 404) return undefined;
    // 409: the scanner is still busy with the scan. An export that may have been made is only a file too many.
    if (written.kind !== 'refused') faults += 1;
    if (faults > REQUESTS) throw unclear(api.where, written);
    atWork?.();
    await timing.sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

const unclear = (where: string, written: Awaited<ReturnType<NessusApi['requestExport']>>): AppError =>
  unreachable(
    where,
    written.kind === 'unclear' ? written.fault : { kind: 'odd', why: 'its answer to an export names no file' },
  );

const statusPaths = ({ id }: Pick<RemoteRun, 'id'>, { token, file }: ExportFile): string[] => [
  ...(token === undefined ? [] : [`/tokens/${token}/status`]),
  ...(file === undefined ? [] : [`/scans/${id}/export/${file}/status`]),
];

/** Newest first; which of them there are depends on the version. */
const downloadPaths = ({ id }: Pick<RemoteRun, 'id'>, { token, file }: ExportFile): string[] => [
  ...(token === undefined ? [] : [`/tokens/${token}/download`]),
  ...(file === undefined ? [] : [`/scans/${id}/export/${file}/download`]),
  ...(token === undefined ? [] : [`/scans/exports/${token}/download`]),
];

async function readiness(
  { api, timing, atWork }: ExportDeps,
  run: Pick<RemoteRun, 'id'>,
  file: ExportFile,
  signal: AbortSignal,
): Promise<'ready' | 'failed' | 'gone'> {
  const paths = statusPaths(run, file);
  let waitMs = FIRST_WAIT_MS;
  for (let path = paths.shift(); path !== undefined;) {
    const status = await api.exportStatus(path, signal);
    if (status === 'ready') return 'ready';
    if (status === 'error') return 'failed';
    if (status === undefined) path = paths.shift();
    else {
      atWork?.();
      await timing.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }
  return 'gone';
}

async function download(
  { api, timing }: ExportDeps,
  paths: readonly string[],
  copy: ReportCopy,
  signal: AbortSignal,
): Promise<Copied> {
  let last: Copied | AppError = 'no_report';
  const left = [...paths];
  for (let attempt = 1; attempt <= DOWNLOADS && left.length > 0; attempt += 1) {
    const outcome = await api.download(left[0] ?? '', signal);
    if (!outcome.ok) last = unreachable(api.where, outcome.fault);
    else if (outcome.reply.status === 200) last = await copy.take(outcome.reply.body, signal);
    else {
      const { status, body } = outcome.reply;
      body.destroy();
      if (status === 401 || status === 429 || status >= 500)
        last = refusalError({ where: api.where, status, words: '' });
      else left.shift();
    }
    if (last === 'whole' || last === 'differs') return last;
    await timing.sleep(FIRST_WAIT_MS * attempt, signal);
  }
  // A scanner that is away is another matter than one that sends something else.
  if (last instanceof AppError) throw last;
  return last;
}
