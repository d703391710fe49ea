import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { AGENT_SCOPES, LOCAL_TENANT, type Caller } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import type { Authenticator } from './deps.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const USUAL = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1', 'localhost']);

/** True for addresses only this machine can reach, and for the name that stands for them. */
export function isLoopback(host: string): boolean {
  if (USUAL.has(host)) return true;
  const plain = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=[\d.]+$)/i, '');
  if (isIPv4(plain)) return loopback.check(plain, 'ipv4');
  if (isIPv6(plain)) return loopback.check(plain, 'ipv6');
  return plain.toLowerCase() === 'localhost';
}

export interface Exposure {
  /** Address to listen on. */
  readonly host: string;
  /** An API key that holds, or an OIDC issuer. */
  readonly knowsCallers: boolean;
  readonly allowAnonymous: boolean;
  /** Of a proxy before it; empty when there is none. */
  readonly publicUrl: string;
}

/**
 * A server others can reach must know who asks.
 * @throws AppError config_invalid, with the fix
 */
export function checkExposure({ host, knowsCallers, allowAnonymous, publicUrl }: Exposure): void {
  if (allowAnonymous && publicUrl !== '') {
    throw new AppError('config_invalid', 'Behind a proxy every caller seems to be on this machine.', {
      hint: 'Take http.allow_anonymous_loopback or http.public_url out.',
    });
  }
  if (isLoopback(host)) return;
  if (allowAnonymous) {
    throw new AppError('config_invalid', `${host} is no loopback address: callers without a key cannot be let in.`, {
      hint: 'Take http.allow_anonymous_loopback out, or listen on 127.0.0.1.',
    });
  }
  if (knowsCallers) return;
  throw new AppError('config_invalid', `${host} can be reached by others, and nobody has a key yet.`, {
    hint: 'Make a key with `scanmux keys create --name <name>`, set up an OIDC issuer, or listen on 127.0.0.1.',
  });
}

const ANONYMOUS: Caller = { tenant: LOCAL_TENANT, name: 'anonymous', isOperator: false, scopes: AGENT_SCOPES };

/** Lets in who shows nothing and comes from this machine; whoever shows something is checked as ever. */
export const anonymousOnLoopback = (authenticator: Authenticator): Authenticator => ({
  ...authenticator,
  async authenticate(claimed) {
    const isFromHere = isLoopback(claimed.remoteAddress) && claimed.isForwarded !== true;
    if (claimed.authorization === undefined && isFromHere) return ANONYMOUS;
    return authenticator.authenticate(claimed);
  },
});
