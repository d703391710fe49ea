import { AppError } from '../../../model/errors.ts';
import { cleanLine } from '../../../model/untrusted.ts';
import { NOT_PINNED } from './connection.ts';

/**
 * Why an exchange gave no answer that can be used. `unsent`: the request did not leave. `untrusted`: neither, because of
 * the certificate. `cut`: the connection broke, before, during or after the work. `slow`: a time limit. `odd`: an answer
 * that is not what this API answers.
 */
export interface Fault {
  readonly kind: 'unsent' | 'untrusted' | 'cut' | 'slow' | 'odd';
  readonly why: string;
}

const UNSENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its port',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its network',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
};

const UNTRUSTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not known here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the one in url',
};

const SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError', '23']);

/** Never the error's own words, which may hold anything, but for those about a certificate, which are ours. */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  if (code === NOT_PINNED && error instanceof Error)
    return { kind: 'untrusted', why: `it does not show the certificate of tls_fingerprint. ${error.message}` };
  const untrusted = UNTRUSTED[code];
  if (untrusted !== undefined) return { kind: 'untrusted', why: untrusted };
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

export const TRUST_HINT =
  'Operator: set ca_file or tls_fingerprint of this instance in scanners.yaml (docs/engines/nessus.md).';

/** @param where the instance, by host and port */
export const unreachable = (where: string, { kind, why }: Fault): AppError =>
  new AppError(
    'scanner_unreachable',
    `The scanner at ${where} cannot be used: ${why}.`.replace(/\.+$/, '.'),
    kind === 'untrusted' ? { hint: TRUST_HINT } : kind === 'odd' ? { hint: ODD_HINT } : {},
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
