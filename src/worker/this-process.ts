import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { identityText, ownIdentity } from '../platform/process-identity.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * What a worker in this process is called, and says of itself.
 * @param isAlone A data folder has one worker: nobody else's engines run for its queue.
 */
export function thisProcess(
  clock: Clock,
  version: string,
  isAlone: boolean,
): Pick<WorkerDeps, 'workerId' | 'process' | 'isAlone'> {
  const identity = identityText(ownIdentity());
  return {
    // Machines made from one image may tell the same of their boot and processes.
    workerId: isAlone ? identity : `${identity}|${hostname()}-${randomBytes(6).toString('hex')}`,
    process: { version, host: hostname(), pid: process.pid, startedAt: clock.now() },
    isAlone,
  };
}
