import type { Caller } from '../model/caller.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ApiKeys } from '../queue/api-keys.ts';
import type { QueueOperations } from '../queue/operations.ts';
import type { ScanQueue } from '../queue/queue.ts';
import type { UseCases } from '../scans/use-cases.ts';
import type { Standing } from './auth/standing.ts';

/** What a request says of who sends it. */
export interface Claimed {
  /** `Authorization`, as it came. */
  readonly authorization: string | undefined;
  /** Of the connection, or of `X-Forwarded-For` where the operator named the proxy. */
  readonly remoteAddress: string;
  /** A proxy passed it on: it may come from anywhere. */
  readonly isForwarded?: boolean;
}

/** Says who sends a request. */
export interface Authenticator {
  /** @throws AppError unauthenticated, rate_limited, queue_unavailable */
  authenticate(claimed: Claimed): Promise<Caller>;
  /** Who was let in may be refused later. Whoever lets callers in adds the answers they have open. */
  readonly standing: Standing;
}

/** What the HTTP room stands on. */
export interface HttpDeps {
  readonly version: string;
  readonly scans: UseCases;
  readonly queue: ScanQueue;
  readonly operations: QueueOperations;
  readonly keys: ApiKeys;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the server is asked to stop: streams say `retry:` and end, waits answer what they know. */
  readonly closing: AbortSignal;
}
