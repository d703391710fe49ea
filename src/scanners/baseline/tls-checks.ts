import type { SecureVersion } from 'node:tls';
import { judgeCertificate } from './certificate.ts';
import { shakeHands, type Handshake } from './handshake.ts';
import type { Lane } from './lane.ts';
import type { Observation } from './observation.ts';
import type { RuleName } from './rules/table.ts';
import type { Endpoint, Waits } from './wire.ts';

export interface TlsContext {
  readonly lane: Lane;
  readonly waits: Waits;
  readonly name: string;
  readonly isAddress: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Called for what could not be looked at, with the reason and the checks that did not run for it. */
  readonly skipped: (what: string, rules: readonly RuleName[]) => void;
}

const CERTIFICATE_RULES: readonly RuleName[] = [
  'tls-cert-expired',
  'tls-cert-expires-in-7-days',
  'tls-cert-expires-in-30-days',
  'tls-cert-not-yet-valid',
  'tls-cert-name-mismatch',
  'tls-cert-self-signed',
  'tls-cert-untrusted-chain',
  'tls-cert-weak-key',
  'tls-cert-weak-signature',
];

const VERSIONS: readonly (readonly [SecureVersion, string, RuleName | undefined])[] = [
  ['TLSv1', 'TLS 1.0', 'tls-1.0-offered'],
  ['TLSv1.1', 'TLS 1.1', 'tls-1.1-offered'],
  ['TLSv1.2', 'TLS 1.2', undefined],
  ['TLSv1.3', 'TLS 1.3', undefined],
];

/** Looks at one TLS port: versions, suites and certificate. `first` is the handshake that found it. */
export async function inspectTls(endpoint: Endpoint, first: Handshake, context: TlsContext): Promise<Observation[]> {
  const { name, isAddress, now } = context;
  const found: Observation[] = [];
  if (first.leaf) found.push(...judgeCertificate(first.leaf, { name, isAddress, now, chainError: first.chainError }));
  else context.skipped('TLS certificate: the server sent none that could be read', CERTIFICATE_RULES);
  found.push(...(await inspectVersions(endpoint, context)));
  found.push(...(await inspectSuites(endpoint, context)));
  return found;
}

const question = ({ waits, name, isAddress }: TlsContext) => ({ ...waits, ...(isAddress ? {} : { servername: name }) });

async function inspectVersions(endpoint: Endpoint, context: TlsContext): Promise<Observation[]> {
  const { lane } = context;
  const offered: string[] = [];
  const found: Observation[] = [];
  for (const [version, label, rule] of VERSIONS) {
    const shake = await lane.ask(() => shakeHands(endpoint, { ...question(context), version }, lane.signal));
    if (!shake) return found;
    const unjudged: RuleName[] = [...(rule ? [rule] : []), 'tls-1.2-missing'];
    if (shake.outcome === 'local_cannot') context.skipped(`${label}: the local OpenSSL cannot speak it`, unjudged);
    if (shake.outcome === 'silence') context.skipped(`${label}: a TLS server did not answer in time`, unjudged);
    if (shake.outcome !== 'secure') continue;
    offered.push(label);
    if (rule)
      found.push({ rule, confidence: 'certain', untrusted: { output: `cipher suite ${shake.cipher ?? 'unknown'}` } });
  }
  const isOutdated = offered.length > 0 && !offered.includes('TLS 1.2') && !offered.includes('TLS 1.3');
  if (isOutdated) found.push({ rule: 'tls-1.2-missing', untrusted: { output: `offered: ${offered.join(', ')}` } });
  return found;
}

async function inspectSuites(endpoint: Endpoint, context: TlsContext): Promise<Observation[]> {
  const { lane } = context;
  const options = { ...question(context), weakCiphersOnly: true };
  const shake = await lane.ask(() => shakeHands(endpoint, options, lane.signal));
  if (shake?.outcome === 'local_cannot')
    context.skipped('weak TLS cipher suites: the local OpenSSL has none', ['tls-weak-cipher']);
  if (shake?.outcome !== 'secure') return [];
  const output = `${shake.protocol ?? 'TLS'} ${shake.cipher ?? 'unknown suite'}`;
  return [{ rule: 'tls-weak-cipher', confidence: 'certain', untrusted: { output } }];
}
