import type { Response } from 'express';
import { AppError, errorFacts, type ErrorCode } from '../model/errors.ts';

/** A new error code does not compile before it is given its status here. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  target_invalid: 400,
  cursor_invalid: 400,
  unauthenticated: 401,
  target_denied: 403,
  credential_denied: 403,
  scanner_edition_forbids_api: 403,
  forbidden: 403,
  scan_not_found: 404,
  finding_not_found: 404,
  scan_not_finished: 409,
  idempotency_conflict: 409,
  pool_unknown: 422,
  instance_unknown: 422,
  credential_unknown: 422,
  target_unresolvable: 422,
  target_unsupported: 422,
  option_unsupported: 422,
  report_unreadable: 422,
  quota_exceeded: 429,
  rate_limited: 429,
  config_invalid: 500,
  storage_unusable: 500,
  data_too_new: 500,
  internal_error: 500,
  scanner_unreachable: 502,
  scanner_login_failed: 502,
  scan_aborted: 502,
  remote_scan_lost: 502,
  no_scanner_available: 503,
  credential_unavailable: 503,
  issuer_unavailable: 503,
  queue_unavailable: 503,
  storage_unavailable: 503,
  scan_timed_out: 504,
  storage_full: 507,
};

/** Seconds to say in `Retry-After` where the error itself knows no better. */
const RETRY_AFTER: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1,
  quota_exceeded: 30,
  queue_unavailable: 5,
  issuer_unavailable: 5,
  no_scanner_available: 30,
  credential_unavailable: 60,
  storage_full: 60,
  storage_unavailable: 30,
};

/** What an error says over HTTP. Extension members carry what agents get over MCP. Source: RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly trace_id: string;
  readonly targets?: readonly string[];
}

export const statusOfCode = (code: ErrorCode): number => STATUS[code];

/** Whole seconds until another try may succeed; undefined where nobody can say. */
export function retryAfterOf(error: unknown): number | undefined {
  const asked = error instanceof AppError ? error.retryAfterSeconds : undefined;
  return asked === undefined ? RETRY_AFTER[errorFacts(error).code] : Math.max(1, Math.ceil(asked));
}

/** @param status Where HTTP has a more exact one than the code: 404 for a route, 413 for a body, ... */
export function problemOf(error: unknown, traceId: string, status?: number): Problem {
  const { code, message, hint, retryable, targets } = errorFacts(error);
  return {
    type: `urn:scanmux:error:${code}`,
    title: code.charAt(0).toUpperCase() + code.slice(1).replaceAll('_', ' '),
    status: status ?? STATUS[code],
    detail: message,
    code,
    hint,
    retryable,
    trace_id: traceId,
    ...(targets ? { targets } : {}),
  };
}

/** Sets `Retry-After`, and for callers nobody knows the challenge that says how to become known. */
export function errorHeaders(response: Response, error: unknown, status: number, challenge: string): void {
  const seconds = retryAfterOf(error);
  if (seconds !== undefined) response.set('Retry-After', `${seconds}`);
  if (status === 401 && !response.hasHeader('WWW-Authenticate')) response.set('WWW-Authenticate', challenge);
  response.set('Cache-Control', 'no-store');
}

/**
 * Answers with problem details; ends the connection where an answer has begun already.
 * @param hintIn The next step in the words of the face that was asked.
 */
export function sendProblem(
  response: Response,
  error: unknown,
  {
    traceId,
    status,
    challenge = 'Bearer realm="scanmux"',
    hintIn = (hint) => hint,
  }: { traceId: string; status?: number; challenge?: string; hintIn?: (hint: string) => string },
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const told = problemOf(error, traceId, status);
  const problem = { ...told, hint: hintIn(told.hint) };
  errorHeaders(response, error, problem.status, challenge);
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
