import { AppError } from '../../../model/errors.ts';
import { cleanLine } from '../../../model/untrusted.ts';
import { NotTrusted } from './not-trusted.ts';

/**
 * Why an exchange gave no answer that can be used. `unsent`: the request did not leave. `untrusted`: neither, because of
 * the certificate. `cut`: the connection broke, before, during or after the work. `slow`: a time limit. `odd`: an answer
 * that is not what this API answers.
 */
export interface Fault {
  readonly kind: 'unsent' | 'untrusted' | 'cut' | 'slow' | 'odd';
  readonly why: string;
  /** What an operator can do, where that is known. */
  readonly hint?: string;
}

const UNSENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its port',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its network',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
};

const SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError', '23']);

/** Never the error's own words, which may hold anything, but for those about a certificate, which are ours. */
export function faultOf(error: unknown): Fault {
  if (error instanceof NotTrusted) return { kind: 'untrusted', why: error.message, hint: error.hint };
  const code = codeOf(error);
  const unsent = UNSENT[code];
  if (unsent !== undefined) return { kind: 'unsent', why: unsent };
  if (SLOW.has(code)) return { kind: 'slow', why: 'it did not answer in time' };
  if (code.startsWith('HPE_') || code === 'HTTPParserError' || code.startsWith('ERR_SSL') || code === 'EPROTO')
    return { kind: 'odd', why: 'it does not speak the protocol of url' };
  return { kind: 'cut', why: 'the connection broke' };
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) return String(error.code);
  return error instanceof Error ? error.name : '';
}

/** @param where the instance, by host and port */
export const unreachable = (where: string, { kind, why, hint }: Fault): AppError =>
  new AppError(
    'scanner_unreachable',
    `The scanner at ${where} cannot be used: ${why}.`.replace(/\.+$/, '.'),
    hint !== undefined ? { hint } : kind === 'odd' ? { hint: ODD_HINT } : {},
  );

const ODD_HINT = 'Operator: check url in scanners.yaml; a proxy, a login page or another program may answer there.';

export interface Refusal {
  readonly where: string;
  readonly status: number;
  /** What the scanner said about it, cleaned. */
  readonly words: string;
}

/** What a status means that nobody expected. */
export function refusalError({ where, status, words }: Refusal): AppError {
  const said = words === '' ? '' : ` It says: ${words}`;
  if (status === 401) return new AppError('scanner_login_failed', `The scanner at ${where} refused the login.${said}`);
  if (status === 403)
    return new AppError('scanner_login_failed', `The account may not do this on the scanner at ${where}.${said}`, {
      hint: 'Operator: give the account in scanners.yaml the right to create and read scans.',
    });
  if (status === 412) return editionError(where);
  if (status === 429) return new AppError('rate_limited', `The scanner at ${where} asks for fewer requests.`);
  if (status === 507) return new AppError('storage_full', `The scanner at ${where} has no space left.${said}`);
  if (status >= 500)
    return new AppError('scanner_unreachable', `The scanner at ${where} answers with status ${status}.${said}`);
  if (status >= 300 && status < 400)
    return unreachable(where, { kind: 'odd', why: `it sends callers elsewhere (status ${status})` });
  return new AppError('invalid_request', `The scanner at ${where} refused a request with status ${status}.${said}`, {
    hint: 'Change targets or options; if they are right, this version of the scanner may not be supported.',
  });
}

/** The licence leaves out control of scans (`license.features.scan_api`). */
export const editionError = (where: string): AppError =>
  new AppError(
    'scanner_edition_forbids_api',
    `The licence of the scanner at ${where} does not allow starting or changing scans through its API.`,
    { hint: EDITION_HINT },
  );

export const EDITION_HINT =
  'Launch the scan in the scanner itself and import it (list_scanners with remote_scans, then import_report), or use Nessus Manager or Tenable Vulnerability Management.';

/** One line of what a scanner says, without what it must not repeat. */
export function scannerWords(text: string, secrets: readonly string[]): string {
  const masked = secrets
    .filter((secret) => secret !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((kept, secret) => kept.replaceAll(secret, '[hidden]'), text);
  return cleanLine(masked, 200);
}
