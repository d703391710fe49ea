import type { X509Certificate } from 'node:crypto';
import { cleanLine } from '../../../model/untrusted.ts';

/** The code of an error that says that another certificate was shown than the pinned one. */
export const NOT_PINNED = 'SCANMUX_CERTIFICATE_NOT_PINNED';

interface Distrust {
  /** NOT_PINNED, or what TLS calls it. */
  readonly code: string;
  /** The setting that the certificate does not satisfy; `none`: the authorities of Node. */
  readonly setting: 'none' | 'ca_file' | 'tls_fingerprint';
  /** Of `ca_file`. */
  readonly file?: string;
  /** Why the file as it is now cannot be used. */
  readonly trouble?: string;
  readonly seen: X509Certificate | undefined;
}

/** A certificate that does not satisfy what the operator asks for. Message and hint are ours, cleaned. */
export class NotTrusted extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(distrust: Distrust) {
    super(`${wordsOf(distrust)}; it shows ${shown(distrust.seen)}`);
    this.code = distrust.code;
    this.hint = hintOf(distrust);
  }
}

const FROM_NOBODY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

function wordsOf({ code, setting, file = '', trouble }: Distrust): string {
  if (code === NOT_PINNED) return 'it does not show the certificate of tls_fingerprint';
  const after = trouble === undefined ? '' : `; ${trouble.replace(/\.$/, '')}, so what was read before counts`;
  if (FROM_NOBODY.has(code)) {
    if (setting === 'ca_file') return `no authority in ca_file ${file} signed its certificate${after}`;
    return code === 'DEPTH_ZERO_SELF_SIGNED_CERT'
      ? 'its certificate is signed by itself'
      : 'its certificate comes from an authority that is not known here';
  }
  return `${FLAWS[code] ?? `its certificate cannot be verified (${cleanLine(code, 60)})`}${after}`;
}

const EXPIRED = 'CERT_HAS_EXPIRED';
const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

const FLAWS: Readonly<Record<string, string>> = {
  [EXPIRED]: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  [OTHER_NAME]: 'its certificate is for another name than the one in url',
};

/** Whoever runs the server chose the names. */
function shown(seen: X509Certificate | undefined): string {
  if (!seen) return 'no certificate';
  const { subject, issuer, fingerprint256 } = seen;
  const named = (text: string): string => cleanLine(text.split('\n').join(', '), 120) || 'nobody';
  return `the certificate of "${named(subject)}" from "${named(issuer)}" with SHA-256 ${fingerprint256}`;
}

const WHERE = 'of this instance in scanners.yaml (docs/engines/nessus.md)';

function hintOf({ code, setting, file = '' }: Distrust): string {
  if (setting === 'tls_fingerprint') {
    return `Operator: if the certificate was renewed, take its fingerprint on the machine of the scanner and correct tls_fingerprint ${WHERE}.`;
  }
  if (code === EXPIRED) return 'Operator: renew the certificate of the scanner, or the authority that signed it.';
  if (code === OTHER_NAME) {
    return `Operator: write the name that is in the certificate as the host of url, or use tls_fingerprint alone, ${WHERE}.`;
  }
  return setting === 'ca_file'
    ? `Operator: put the authority that signed the scanner's certificate into ${file}; it is read again at the next connection. Or write tls_fingerprint in the place of ca_file.`
    : `Operator: set ca_file or tls_fingerprint ${WHERE}.`;
}
