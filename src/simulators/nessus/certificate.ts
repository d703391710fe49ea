import { X509Certificate, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { bits, explicit, implicit, integer, octets, oid, sequence, setOf, time, utf8, yes } from './der.ts';

export type CertificateFlaw = 'none' | 'expired' | 'wrong_host';

export interface Certificate {
  /** PEM. What a client takes as `ca_file`. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** SHA-256 of the certificate in DER, 64 hex digits in lower case. */
  readonly fingerprint: string;
}

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';

/**
 * A certificate that vouches for itself, for 127.0.0.1 and localhost, with a key made for it: as a fresh Nessus has one.
 * Written here because the libraries that do it bring fifteen packages, and everyone who installs scanmux would get them.
 * X.509 v3 as of RFC 5280, with ECDSA on P-256.
 * @param now epoch milliseconds
 */
export function createCertificate(flaw: CertificateFlaw, now: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(ECDSA_SHA256));
  const name = sequence(
    setOf(sequence(oid('2.5.4.10'), utf8('Nessus simulator of scanmux'))),
    setOf(sequence(oid('2.5.4.3'), utf8(flaw === 'wrong_host' ? 'other.test' : 'localhost'))),
  );
  const [from, to] = flaw === 'expired' ? [now - 400 * DAY_MS, now - 2 * DAY_MS] : [now - DAY_MS, now + 800 * DAY_MS];
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x5c]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(new Date(from)), time(new Date(to))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions(flaw)),
  );
  const der = sequence(content, algorithm, bits(sign('sha256', content, privateKey)));
  const parsed = new X509Certificate(der);
  return {
    certificate: parsed.toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

function extensions(flaw: CertificateFlaw): Buffer {
  const dns = (host: string): Buffer => implicit(2, Buffer.from(host));
  const names =
    flaw === 'wrong_host' ? [dns('other.test')] : [dns('localhost'), implicit(7, Buffer.from([127, 0, 0, 1]))];
  return sequence(
    sequence(oid('2.5.29.19'), yes, octets(sequence(yes))),
    sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.1')))),
    sequence(oid('2.5.29.17'), octets(sequence(...names))),
  );
}
