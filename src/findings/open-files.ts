import { openFindingsFile } from './findings-file.ts';
import type { FindingsFile } from './findings-file.ts';

/** Findings files stay open for the next page; the one that was not used for longest is closed first. */
export interface OpenFiles {
  /** @throws AppError storage_unusable, data_too_new */
  get(path: string): FindingsFile;
  /** Closes a file that turned out to be damaged, so that a repaired one is read anew. */
  forget(path: string): void;
  close(): void;
}

export function createOpenFiles(most: number): OpenFiles {
  const files = new Map<string, FindingsFile>();
  const forget = (path: string): void => {
    files.get(path)?.db.close();
    files.delete(path);
  };
  return {
    get(path) {
      const known = files.get(path);
      const file = known ?? openFindingsFile(path);
      // A map keeps the order of insertion: the first key is the one used longest ago.
      files.delete(path);
      files.set(path, file);
      const [oldest] = files.keys();
      if (files.size > most && oldest !== undefined) forget(oldest);
      return file;
    },
    forget,
    close() {
      for (const path of files.keys()) forget(path);
    },
  };
}
