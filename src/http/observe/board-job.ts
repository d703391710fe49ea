import type { JobState, QueueJob, QueueJobJson } from '@bull-board/api/typings/app';
import { isDeadLetter, isFinal, type ScanRecord, type ScanState } from '../../model/scan.ts';
import { cleanLine } from '../../model/untrusted.ts';

/** What an operator can do to a scan from the board. Everything else is for the other faces. */
export interface BoardActions {
  cancel(scan: ScanRecord): Promise<void>;
  retry(scan: ScanRecord): Promise<void>;
}

/** The board's words for our states. It has none for a cancelled scan, which ended as it should. */
export const BOARD_STATES = {
  queued: 'waiting',
  running: 'active',
  retrying: 'delayed',
  completed: 'completed',
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'completed',
} as const satisfies Record<ScanState, JobState>;

const MAX_TARGETS = 100;
const MAX_TEXT = 1_000;

/** A scan as the board shows one. The board escapes what it shows; control characters are gone before. */
export function boardJob(scan: ScanRecord, actions: BoardActions): QueueJob {
  const delay = delayOf(scan);
  return {
    opts: { delay },
    toJSON: () => jobJson(scan, delay),
    getState: () => Promise.resolve(BOARD_STATES[scan.state]),
    retry: () => actions.retry(scan),
    remove: () => actions.cancel(scan),
    promote: () => Promise.reject(new Error('A scan that waits to be tried again cannot be hurried.')),
  };
}

function jobJson(scan: ScanRecord, delay: number | undefined): QueueJobJson {
  const { request } = scan;
  return {
    id: scan.scanId,
    name: cleanLine(scan.name ?? titleOf(request), 200),
    timestamp: scan.createdAt,
    attemptsMade: scan.attempt,
    progress: scan.state === 'completed' ? 100 : (scan.progress?.percent ?? 0),
    failedReason: isDeadLetter(scan.state) ? failureOf(scan) : '',
    stacktrace: [],
    data: dataOf(scan),
    returnvalue: outcomeOf(scan),
    opts: { priority: request.priority, ...(delay === undefined ? {} : { delay }) },
    priority: request.priority,
    ...(delay === undefined ? {} : { delay }),
    processedOn: scan.startedAt ?? null,
    finishedOn: scan.finishedAt ?? null,
    ...(scan.instance === undefined ? {} : { processedBy: cleanLine(scan.instance, 200) }),
  };
}

function titleOf({ access, targets }: ScanRecord['request']): string {
  const more = targets.length > 1 ? ` and ${targets.length - 1} more` : '';
  return `${access} scan of ${targets[0] ?? ''}${more}`;
}

const failureOf = ({ error }: ScanRecord): string => (error ? cleanLine(errorWords(error), MAX_TEXT) : 'failed');

/** From its creation on, as the board counts. */
const delayOf = ({ state, retryAt, createdAt }: ScanRecord): number | undefined =>
  state === 'retrying' && retryAt !== undefined ? Math.max(0, retryAt - createdAt) : undefined;

const errorWords = ({ code, message, hint }: { code: string; message: string; hint: string }): string =>
  `${code}: ${message} ${hint}`;

/** A request holds no secret: of a login only its name. */
function dataOf({ request, ...scan }: ScanRecord): Record<string, unknown> {
  const { targets, ...asked } = request;
  const shown = targets.slice(0, MAX_TARGETS);
  return cleaned({
    scan_id: scan.scanId,
    tenant: scan.tenant,
    state: scan.state,
    trace_id: scan.traceId,
    name: scan.name,
    description: scan.description,
    targets: targets.length > MAX_TARGETS ? [...shown, `… and ${targets.length - MAX_TARGETS} more`] : shown,
    ...asked,
    engine: scan.engine,
    origin: scan.origin,
    instance: scan.instance,
    external_scan_id: scan.externalScanId,
    phase: scan.progress?.phase,
    cancel_requested: scan.cancelRequested && !isFinal(scan.state) ? true : undefined,
    last_error: scan.error && !isDeadLetter(scan.state) ? errorWords(scan.error) : undefined,
  });
}

function outcomeOf({ state, result }: ScanRecord): Record<string, unknown> | null {
  if (!isFinal(state)) return null;
  const found = result && {
    verdict: result.verdict,
    findings: result.findings,
    by_severity: result.by_severity,
    left_behind: result.left_behind,
  };
  return cleaned({ state, ...found });
}

const cleanedValue = (value: unknown): unknown => {
  if (typeof value === 'string') return cleanLine(value, MAX_TEXT);
  return Array.isArray(value) ? value.map(cleanedValue) : value;
};

const cleaned = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, cleanedValue(value)]),
  );
