import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Observation } from './observation.ts';
import type { RuleName } from './rules/table.ts';

const DAY_MS = 86_400_000;

/** DER content of the object identifiers, as hex. Source: RFC 8017 appendix C, RFC 5758, RFC 3279. */
const WEAK_SIGNATURES: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010102', 'md2WithRSAEncryption'],
  ['2a864886f70d010104', 'md5WithRSAEncryption'],
  ['2a864886f70d010105', 'sha1WithRSAEncryption'],
  ['2a8648ce3d0401', 'ecdsa-with-SHA1'],
  ['2a8648ce380403', 'dsa-with-sha1'],
]);

/** OpenSSL's words for a certificate that vouches for itself. */
const SELF_SIGNED = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT']);
/** Judged from the certificate itself, or by name. */
const NOT_ABOUT_TRUST = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID']);

export interface CertificateContext {
  readonly name: string;
  readonly isAddress: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly chainError: string | undefined;
}

/** Everything a certificate says against itself. */
export function judgeCertificate(leaf: X509Certificate, context: CertificateContext): Observation[] {
  const isKnown = context.isAddress ? leaf.checkIP(context.name) : leaf.checkHost(context.name, { subject: 'never' });
  const names = leaf.subjectAltName ?? 'none';
  return [
    ...judgeDates(leaf, context.now),
    ...judgeTrust(leaf, context.chainError),
    ...(isKnown ? [] : [seen('tls-cert-name-mismatch', `subject alternative names: ${names}`)]),
    ...judgeKey(leaf),
    ...judgeSignature(leaf),
  ];
}

const seen = (rule: RuleName, output: string): Observation => ({ rule, confidence: 'certain', untrusted: { output } });

function judgeDates(leaf: X509Certificate, now: number): Observation[] {
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  const output = `valid from ${leaf.validFrom} to ${leaf.validTo}`;
  if (now < from) return [seen('tls-cert-not-yet-valid', output)];
  if (now > to) return [seen('tls-cert-expired', output)];
  if (now > to - 7 * DAY_MS) return [seen('tls-cert-expires-in-7-days', output)];
  if (now > to - 30 * DAY_MS) return [seen('tls-cert-expires-in-30-days', output)];
  return [];
}

function judgeTrust(leaf: X509Certificate, chainError: string | undefined): Observation[] {
  const output = `subject: ${leaf.subject}\nissuer: ${leaf.issuer}`;
  if (vouchesForItself(leaf) || (chainError !== undefined && SELF_SIGNED.has(chainError)))
    return [seen('tls-cert-self-signed', output)];
  if (chainError === undefined || NOT_ABOUT_TRUST.has(chainError)) return [];
  return [seen('tls-cert-untrusted-chain', output)];
}

/** Undefined for a key the local OpenSSL does not know. */
function keyOf(leaf: X509Certificate): KeyObject | undefined {
  try {
    return leaf.publicKey;
  } catch {
    return undefined;
  }
}

function vouchesForItself(leaf: X509Certificate): boolean {
  const key = keyOf(leaf);
  try {
    return key !== undefined && leaf.subject === leaf.issuer && leaf.verify(key);
  } catch {
    return false; // A signature that cannot even be checked proves nothing.
  }
}

function judgeKey(leaf: X509Certificate): Observation[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = keyOf(leaf) ?? {};
  const bits = details?.modulusLength;
  if (bits !== undefined && bits < 2_048) return [seen('tls-cert-weak-key', `${type ?? 'key'} of ${bits} bits`)];
  const curve = details?.namedCurve;
  const curveBits = Number(/(\d{3})/.exec(curve ?? '')?.[1]);
  return curveBits < 224 ? [seen('tls-cert-weak-key', `elliptic curve ${curve}`)] : [];
}

function judgeSignature({ raw }: X509Certificate): Observation[] {
  const algorithm = WEAK_SIGNATURES.get(signatureOid(raw) ?? '');
  return algorithm === undefined ? [] : [seen('tls-cert-weak-signature', algorithm)];
}

interface Element {
  readonly start: number;
  readonly end: number;
}

/** Bounds of the content of the DER element at `at`. OpenSSL has parsed the certificate before; still nothing is trusted. */
function element(der: Buffer, at: number): Element | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || at + 2 + lengthBytes > der.length) return undefined;
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  return start + length > der.length ? undefined : { start, end: start + length };
}

/**
 * Hex of the signature algorithm's identifier: Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, ... }.
 * Node reads it out only from version 24 on. Source: RFC 5280 section 4.1.
 */
function signatureOid(der: Buffer): string | undefined {
  const certificate = element(der, 0);
  const body = certificate && element(der, certificate.start);
  const algorithm = body && element(der, body.end);
  const oid = algorithm && element(der, algorithm.start);
  return oid && der.subarray(oid.start, oid.end).toString('hex');
}
