import { lookup as dnsLookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { formatAddress, parseAddress } from './address.ts';

/** All addresses of a name, A and AAAA, as the system's resolver gives them. Throws when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** Which IPv6 this machine has: `::1`, and an address that is neither loopback nor link-local. */
export interface Ipv6Presence {
  readonly loopback: boolean;
  readonly global: boolean;
}

export type Resolution =
  /** Canonical, without repeats, IPv4 and IPv6 in the order of the answer. */
  { readonly kind: 'found'; readonly addresses: readonly string[] } | { readonly kind: 'none'; readonly why: string };

const LOOKUP_TIMEOUT_MS = 5_000;
/** More answers are not scanned in part: the name is refused. */
const MAX_ANSWERS = 64;

/** The system's resolver, hosts file included, because that is what engines would ask too. */
export const systemLookup: Lookup = async (host) => {
  const answers = await dnsLookup(host, { all: true, verbatim: true });
  return answers.map(({ address }) => address);
};

export function machineIpv6(): Ipv6Presence {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const ipv6 = all.filter(({ family }) => family === 'IPv6');
  return {
    loopback: ipv6.some(({ address }) => address === '::1'),
    global: ipv6.some(({ address, internal }) => !internal && !address.startsWith('fe80:')),
  };
}

/**
 * Asks once, in bounded time. `localhost` is never asked: an answer for it would be somebody's choice.
 * @throws whatever `signal.reason` is.
 */
export async function resolveName(
  host: string,
  deps: { readonly lookup: Lookup; readonly hasIpv6: () => Ipv6Presence; readonly timeoutMs?: number },
  signal: AbortSignal,
): Promise<Resolution> {
  signal.throwIfAborted();
  if (host === 'localhost') {
    return { kind: 'found', addresses: deps.hasIpv6().loopback ? ['127.0.0.1', '::1'] : ['127.0.0.1'] };
  }
  const timeoutMs = deps.timeoutMs ?? LOOKUP_TIMEOUT_MS;
  const answer = await bounded(deps.lookup(host), timeoutMs, signal);
  if (answer === 'failed') return { kind: 'none', why: 'has no address' };
  if (answer === 'timed out') return { kind: 'none', why: `was not resolved within ${timeoutMs} ms` };
  if (answer.length === 0) return { kind: 'none', why: 'has no address' };
  if (answer.length > MAX_ANSWERS) return { kind: 'none', why: `has more than ${MAX_ANSWERS} addresses` };
  return { kind: 'found', addresses: [...new Set(answer.map(canonical))] };
}

/** Text that is no plain address (a zone, say) passes through, and is refused where it is judged. */
function canonical(text: string): string {
  const address = parseAddress(text);
  return address ? formatAddress(address) : text;
}

/** getaddrinfo cannot be stopped: it is left behind, and its late answer is dropped. */
function bounded(
  answer: Promise<readonly string[]>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly string[] | 'failed' | 'timed out'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => resolve('timed out')), timeoutMs);
    const aborted = (): void => settle(() => reject(signal.reason));
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      act();
    };
    signal.addEventListener('abort', aborted, { once: true });
    answer.then(
      (addresses) => settle(() => resolve(addresses)),
      () => settle(() => resolve('failed')),
    );
  });
}
