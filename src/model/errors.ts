/**
 * Every failure we cause on purpose. The key is public and never changes its meaning; `docs/errors.md` is generated
 * from this table. `retryable` says whether the same call can succeed later without anybody changing anything.
 */
export const ERROR_CATALOG = {
  invalid_request: { retryable: false, hint: 'Correct the named argument and call again.' },
  config_invalid: { retryable: false, hint: 'Operator: fix the named keys; `scanmux doctor` checks the files.' },
  pool_unknown: { retryable: false, hint: 'Call list_scanners for the pools there are.' },
  instance_unknown: { retryable: false, hint: 'Call list_scanners for the instances there are.' },
  no_scanner_available: {
    retryable: true,
    hint: 'list_scanners says why each instance is out; try again later or use another pool.',
  },
  target_invalid: { retryable: false, hint: 'Write the target as one plain IP, CIDR, range, host, host:port or URL.' },
  target_denied: { retryable: false, hint: 'Only an operator can widen the scope. Do not retry.' },
  target_unresolvable: { retryable: true, hint: 'Check the name, or give the IP address.' },
  target_unsupported: {
    retryable: false,
    hint: 'Use a pool whose target_kinds in list_scanners include this kind of target.',
  },
  option_unsupported: { retryable: false, hint: 'Leave the option out, or use a pool whose options include it.' },
  credential_unknown: { retryable: false, hint: 'Call list_scanners for the credential_refs there are.' },
  credential_denied: { retryable: false, hint: 'Only an operator can widen where a credential is used. Do not retry.' },
  credential_unavailable: {
    retryable: true,
    hint: 'Operator: run the command that gives the secret by hand, as the user of the worker.',
  },
  idempotency_conflict: {
    retryable: false,
    hint: 'Use a new key for a new request, or omit it.',
  },
  scan_not_found: { retryable: false, hint: 'Call list_scans for the scans there are.' },
  scan_not_finished: { retryable: true, hint: 'Call wait_for_scan, then ask again.' },
  finding_not_found: { retryable: false, hint: 'Take a finding id from get_scan_results.' },
  cursor_invalid: {
    retryable: false,
    hint: 'Repeat the call without a cursor; a cursor is only good for the same query.',
  },
  quota_exceeded: { retryable: true, hint: 'Wait for running scans to finish, or cancel one.' },
  rate_limited: { retryable: true, hint: 'Slow down and try again.' },
  queue_unavailable: { retryable: true, hint: 'Try again in a few seconds.' },
  storage_full: {
    retryable: true,
    hint: 'Operator: free disk space in the data folder. Nothing that was accepted is lost.',
  },
  storage_unavailable: {
    retryable: true,
    hint: 'The store of reports and findings does not answer. Try again in a minute; `scanmux doctor` asks it.',
  },
  storage_unusable: { retryable: false, hint: 'Operator: run `scanmux doctor`; it says what is wrong and the fix.' },
  data_too_new: {
    retryable: false,
    hint: 'Operator: the data was written by a newer scanmux. Upgrade this one; nothing was touched.',
  },
  scanner_unreachable: { retryable: true, hint: 'The scanner did not answer; list_scanners shows its health.' },
  scanner_login_failed: { retryable: false, hint: 'Operator: check the credentials of the scanner in scanners.yaml.' },
  scanner_edition_forbids_api: {
    retryable: false,
    hint: 'The licence of this scanner does not allow starting scans. Import a scan an operator launched.',
  },
  scan_timed_out: {
    retryable: false,
    hint: 'Narrow the targets or raise max_duration_minutes. Partial results are kept.',
  },
  scan_aborted: { retryable: true, hint: 'The engine ended before it was done. What it found so far is kept.' },
  remote_scan_lost: {
    retryable: false,
    hint: 'Somebody deleted or stopped it at the scanner, or the scanner was away too long. Scan again if that was not meant.',
  },
  report_unreadable: { retryable: false, hint: 'The report is damaged or of an unknown version.' },
  unauthenticated: {
    retryable: false,
    hint: 'Send `Authorization: Bearer <key>`; an operator makes one with `scanmux keys create`.',
  },
  issuer_unavailable: {
    retryable: true,
    hint: 'Try again in a few seconds. Operator: this server must reach the issuer of oidc in scanmux.yaml.',
  },
  forbidden: { retryable: false, hint: 'Ask an operator for the permission. Do not retry.' },
  internal_error: { retryable: true, hint: 'This is a defect in scanmux. Report it with the trace id.' },
} as const satisfies Record<string, { retryable: boolean; hint: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOG;

/** What an error carries besides its message. `hint` replaces the one of the table where a better one is known. */
export interface AppErrorOptions extends ErrorOptions {
  readonly hint?: string;
  /** The targets the error is about, as the caller wrote them. */
  readonly targets?: readonly string[];
  /** When the same call is worth another try, where that is known. */
  readonly retryAfterSeconds?: number;
}

/** The only class we throw. Anything else that reaches a boundary is a bug and is reported as one. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** One or two sentences that tell the reader what to do next. */
  readonly hint: string;
  readonly targets: readonly string[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint ?? ERROR_CATALOG[code].hint;
    this.targets = options.targets;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get retryable(): boolean {
    return ERROR_CATALOG[this.code].retryable;
  }
}

/** An error as it is stored in records and shown to callers. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** Facts of any thrown value: a defect becomes `internal_error` without its message, which may hold anything. */
export function errorFacts(error: unknown): ErrorFacts & { targets?: readonly string[] } {
  if (error instanceof AppError) {
    const { code, message, hint, retryable, targets } = error;
    return { code, message, hint, retryable, ...(targets ? { targets } : {}) };
  }
  return { code: 'internal_error', message: 'Unexpected error.', ...ERROR_CATALOG.internal_error };
}

/** The text operators and agents see: `code: message hint`. */
export const errorText = ({ code, message, hint }: ErrorFacts): string => `${code}: ${message} ${hint}`;
