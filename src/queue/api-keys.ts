import type { Scope } from '../model/caller.ts';

/** A key without its secret: only the SHA-256 of the whole key is kept. */
export interface ApiKey {
  /** First characters of the key, shown in lists and in the audit log; unique. */
  readonly prefix: string;
  /** Hex. */
  readonly sha256: string;
  readonly tenant: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
}

/**
 * API keys, for every server of one queue. Every adapter passes test/contracts/api-keys-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable (in bounded time, never a hang), storage_full.
 */
export interface ApiKeys {
  /** Durable once it resolves. @throws AppError invalid_request when the prefix is taken */
  add(key: ApiKey): Promise<void>;
  /** The key with this hash, also when it has expired or was revoked. Cheap: every request asks. */
  find(sha256: string): Promise<ApiKey | undefined>;
  /** Newest first. */
  list(): Promise<readonly ApiKey[]>;
  /** False when there is no such key, or it was revoked before. In force for every server at once. */
  revoke(prefix: string): Promise<boolean>;
}
