import type { Verdict } from '../model/coverage.ts';
import { AppError, type ErrorCode } from '../model/errors.ts';
import { isFinal, type ScanState } from '../model/scan.ts';

/** Every exit code of every command, and what it means; `docs/cli.md` shows this table. */
export const EXIT_CODES = {
  ok: {
    code: 0,
    meaning: 'Done; a scan that was asked for looked everywhere it was told to. Also when it found something.',
  },
  failed: { code: 1, meaning: 'A defect in scanmux, or a check (`doctor`, `audit verify`) that failed.' },
  usage: { code: 2, meaning: 'Wrong command, option, argument, target, setting or configuration file.' },
  refused: { code: 3, meaning: 'The scope or a permission does not allow it. An operator can change that.' },
  not_found: { code: 4, meaning: 'There is no scan, finding, pool or instance of that name.' },
  unavailable: { code: 5, meaning: 'Scanner, queue or storage cannot do it now, or the scan is not finished.' },
  incomplete: {
    code: 6,
    meaning:
      'The scan ended (also by failure, time limit or cancel) without looking everywhere as asked, or its report cannot be read.',
  },
  interrupted: { code: 130, meaning: 'Ctrl-C. A scan that was started goes on.' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type Exit = keyof typeof EXIT_CODES;

/** How each error code ends a command. A new error code does not compile before it is given its place here. */
const EXIT_OF_ERROR: Readonly<Record<ErrorCode, Exit>> = {
  invalid_request: 'usage',
  config_invalid: 'usage',
  pool_unknown: 'not_found',
  instance_unknown: 'not_found',
  no_scanner_available: 'unavailable',
  target_invalid: 'usage',
  target_denied: 'refused',
  target_unresolvable: 'usage',
  target_unsupported: 'usage',
  option_unsupported: 'usage',
  credential_unknown: 'not_found',
  credential_denied: 'refused',
  credential_unavailable: 'unavailable',
  unauthenticated: 'refused',
  issuer_unavailable: 'unavailable',
  idempotency_conflict: 'usage',
  scan_not_found: 'not_found',
  scan_not_finished: 'unavailable',
  finding_not_found: 'not_found',
  cursor_invalid: 'usage',
  quota_exceeded: 'unavailable',
  rate_limited: 'unavailable',
  queue_unavailable: 'unavailable',
  storage_full: 'unavailable',
  storage_unavailable: 'unavailable',
  storage_unusable: 'unavailable',
  data_too_new: 'unavailable',
  scanner_unreachable: 'unavailable',
  scanner_login_failed: 'unavailable',
  scanner_edition_forbids_api: 'refused',
  scan_timed_out: 'incomplete',
  scan_aborted: 'incomplete',
  remote_scan_lost: 'incomplete',
  report_unreadable: 'incomplete',
  forbidden: 'refused',
  internal_error: 'failed',
};

export const exitCode = (exit: Exit): number => EXIT_CODES[exit].code;

/** Exit code of a thrown value; anything but our own errors is a defect. */
export const exitOfError = (error: unknown): Exit => (error instanceof AppError ? EXIT_OF_ERROR[error.code] : 'failed');

/** How a command that shows one scan ends: `incomplete` once the scan is over and did not look everywhere. */
export function exitOfScan({ state, verdict }: { state: ScanState; verdict?: Verdict | undefined }): Exit {
  if (!isFinal(state)) return 'ok';
  return state === 'completed' && verdict === 'complete' ? 'ok' : 'incomplete';
}
