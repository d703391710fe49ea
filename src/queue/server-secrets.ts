import { createHash } from 'node:crypto';

/**
 * Random keys that every server of one queue shares, so that any of them can check what another has signed. Every adapter
 * passes test/contracts/server-secrets-contract.ts.
 */
export interface ServerSecrets {
  /**
   * 32 bytes, made at the first call by whoever asks first, the same for everybody ever after.
   * @throws AppError queue_unavailable (in bounded time, never a hang), storage_full
   */
  secret(name: string): Promise<Buffer>;
}

/** A name for a queue: the same for every process of it, and for no other queue. */
export const queueIdOf = (secrets: ServerSecrets) => async (): Promise<string> =>
  // The secret itself stays in the queue.
  createHash('sha256')
    .update(await secrets.secret('queue-id'))
    .digest('hex')
    .slice(0, 32);
