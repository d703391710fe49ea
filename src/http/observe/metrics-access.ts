import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import type { MetricsSettings } from '../../config/settings-observe.ts';
import { requireServiceOperator } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { Claimed, HttpDeps } from '../deps.ts';

export interface MetricsAccessDeps extends Pick<HttpDeps, 'authenticator' | 'clock' | 'log'> {
  /** Tenants whose admins run the service. */
  readonly operatorTenants: readonly string[];
}

/** Rejects for who may not read the metrics. */
export type RequireMetricsReader = (claimed: Claimed) => Promise<void>;

/** An admin key reads on for so long while the queue that knows it is away: that is when the numbers are asked for. */
const TRUSTED_MS = 60_000;
const MOST_TRUSTED = 100;

/** A token is one line. */
const MAX_TOKEN_BYTES = 4_096;

/**
 * Addresses of `allow_from`, the token of `token_file`, and operators of the service: while the queue is away, those
 * that were such a caller within the last minute.
 * @throws AppError unauthenticated, forbidden, rate_limited, queue_unavailable
 */
export function createMetricsAccess(
  deps: MetricsAccessDeps,
  { token_file: tokenFile, allow_from: ranges }: MetricsSettings,
): RequireMetricsReader {
  const allowed = rangesOf(ranges);
  const requireAdmin = createAdminAccess(deps);
  return async (claimed) => {
    if (isIn(allowed, claimed.remoteAddress)) return;
    if (tokenFile !== '' && (await holdsToken(tokenFile, claimed, deps.log))) return;
    await requireAdmin(claimed);
  };
}

function createAdminAccess({ authenticator, clock, operatorTenants }: MetricsAccessDeps): RequireMetricsReader {
  const trustedUntil = new Map<string, number>();
  return async (claimed) => {
    const key = sha256(claimed.authorization ?? '').toString('base64');
    try {
      requireServiceOperator(await authenticator.authenticate(claimed), operatorTenants);
    } catch (error) {
      const isAway = error instanceof AppError && error.code === 'queue_unavailable';
      if (isAway && clock.monotonic() < (trustedUntil.get(key) ?? -Infinity)) return;
      if (!isAway) trustedUntil.delete(key);
      throw error;
    }
    trustedUntil.delete(key);
    trustedUntil.set(key, clock.monotonic() + TRUSTED_MS);
    const [oldest] = trustedUntil.keys();
    if (trustedUntil.size > MOST_TRUSTED && oldest !== undefined) trustedUntil.delete(oldest);
  };
}

function rangesOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** An IPv4 client of a socket that listens on both shows as `::ffff:192.0.2.7`, which counts as 192.0.2.7. */
const isIn = (list: BlockList, address: string): boolean => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

async function holdsToken(file: string, { authorization }: Claimed, log: MetricsAccessDeps['log']): Promise<boolean> {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  try {
    if ((await stat(file)).size > MAX_TOKEN_BYTES) throw new Error('The file is too large for a token.');
    const token = (await readFile(file, 'utf8')).trim();
    return token !== '' && timingSafeEqual(sha256(token), sha256(given));
  } catch (error) {
    log.warn({ err: error }, 'the token of metrics.token_file cannot be read');
    return false;
  }
}

/** Equal lengths, whatever was given: nothing can be learnt from how long the comparison takes. */
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
