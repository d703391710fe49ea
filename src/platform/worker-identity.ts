import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { identityText, ownIdentity } from './process-identity.ts';

/** Names this process among all workers. Machines made from one image may tell the same of their boot and processes. */
export function workerIdentity(isShared: boolean): string {
  const identity = identityText(ownIdentity());
  return isShared ? `${identity}|${hostname()}-${randomBytes(6).toString('hex')}` : identity;
}
