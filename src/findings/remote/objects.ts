/** A file whose content is known. */
export interface KnownFile {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface StoredObject {
  /** Below the store's own prefix. */
  readonly key: string;
  /** Epoch milliseconds, by the clock of the store. */
  readonly storedAt: number;
}

/**
 * A store of objects that never change. All methods: @throws AppError storage_unavailable in bounded time when it does
 * not answer, storage_unusable when it refuses, storage_full when it has no room; the reason of `signal`.
 */
export interface Objects {
  /**
   * Stores a file of this machine; an equal object that is there already is kept.
   * @throws AppError storage_unusable also when the key holds something else, or the file is not what it should be
   */
  put(key: string, path: string, file: KnownFile, signal: AbortSignal): Promise<void>;
  /**
   * Writes an object to a new file, which is removed again when it is not whole.
   * @throws AppError storage_unusable also when there is none, or it is not what it should be
   */
  fetch(key: string, path: string, file: KnownFile): Promise<void>;
  /** Up to 1,000 objects below a prefix, after a key, in the order of keys. */
  list(below: string, after?: string): Promise<{ readonly objects: readonly StoredObject[]; readonly isLast: boolean }>;
  /** An object that is not there counts as removed. */
  remove(key: string): Promise<void>;
  check(): Promise<void>;
}
