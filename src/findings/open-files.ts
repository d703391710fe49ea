import { AppError } from '../model/errors.ts';
import { loadFindings } from './load-findings.ts';
import { PRINT_BYTES } from './layout.ts';
import type { OpenFindings } from './open-findings.ts';
import { readFailure } from './reading.ts';

/** Findings files stay open for the next question; the one that was not used for longest is closed first. */
export interface OpenFiles {
  /**
   * Runs `body` with the file open; it stays open until `body` is done, also when that takes a while. For several files
   * nest the calls. What a damaged file makes `body` throw gets our code, and the file is read anew the next time.
   * @throws AppError storage_unusable, data_too_new, and what `body` throws
   */
  use<T>(path: string, body: (file: OpenFindings) => T | Promise<T>): Promise<T>;
  /** Closes what is not in use, and the rest when it is done. */
  close(): void;
}

export interface OpenFilesLimits {
  readonly maxOpenFiles: number;
  /** Of what is kept of all open files together, in bytes. The file used last stays open, however large. */
  readonly maxColumnBytes: number;
}

/** Columns with fingerprints, and what readers keep for the next question: selections, their order, the walk by hosts. */
const BYTES_PER_FINDING = 16 + PRINT_BYTES + 36;
const BYTES_PER_RULE = 26;

const bytesOf = ({ count, rules }: OpenFindings): number => count * BYTES_PER_FINDING + rules.count * BYTES_PER_RULE;

interface Entry {
  readonly file: OpenFindings;
  readonly bytes: number;
  users: number;
}

export function createOpenFiles(limits: OpenFilesLimits): OpenFiles {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (path: string, entry: Entry): void => {
    if (entries.get(path) === entry) {
      entries.delete(path);
      bytes -= entry.bytes;
    }
    if (entry.users === 0) entry.file.db.close();
  };
  const take = (path: string): Entry => {
    const known = entries.get(path);
    const file = known?.file ?? loadFindings(path);
    const entry = known ?? { file, bytes: bytesOf(file), users: 0 };
    if (!known) bytes += entry.bytes;
    // A map keeps the order of insertion: the first key is the one used longest ago.
    entries.delete(path);
    entries.set(path, entry);
    entry.users += 1;
    return entry;
  };
  const release = (path: string, entry: Entry): void => {
    entry.users -= 1;
    if (entries.get(path) !== entry) drop(path, entry);
    for (const [oldPath, old] of entries) {
      const isWithin = entries.size <= limits.maxOpenFiles && bytes <= limits.maxColumnBytes;
      if (isWithin || entries.size === 1) return;
      if (old.users === 0) drop(oldPath, old);
    }
  };
  return {
    async use(path, body) {
      const entry = take(path);
      try {
        return await body(entry.file);
      } catch (error) {
        const failure = readFailure(path, error);
        if (failure instanceof AppError && failure.code === 'storage_unusable') drop(path, entry);
        throw failure;
      } finally {
        release(path, entry);
      }
    },
    close() {
      for (const [path, entry] of entries) drop(path, entry);
    },
  };
}
