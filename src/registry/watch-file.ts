import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { ABSENT, signatureOf } from './file.ts';

export interface FileWatch {
  readonly file: string;
  /** Signature of the file as it was last read. */
  readonly lastSignature: () => string;
  readonly reload: () => Promise<unknown>;
  /** Called at every look, changed or not. */
  readonly looked: () => void;
  /** Looks at the file this often anyway: notices can be lost, and folders on some network file systems give none. */
  readonly intervalMs: number;
}

/** A file is written in steps; the reload comes this long after the last of them. */
const QUIET_MS = 150;

/**
 * Calls `reload` after the file was written, replaced, made or removed, until `signal` aborts. The folder is watched,
 * because editors and config maps replace the file itself. Keeps no process alive.
 */
export function watchFile({ file, lastSignature, reload, looked, intervalMs }: FileWatch, signal: AbortSignal): void {
  let watcher: FSWatcher | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let wasAbsent = false;

  const look = async (): Promise<void> => {
    const signature = await signatureOf(file);
    if (signal.aborted) return;
    looked();
    const isNewlyAbsent = signature === ABSENT && !wasAbsent;
    wasAbsent = signature === ABSENT;
    if (signature === lastSignature()) return;
    // Some editors move the old file away before they write the new one: absence counts when it lasts.
    if (isNewlyAbsent) soon();
    else await reload();
  };
  const soon = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(() => void look(), QUIET_MS).unref();
  };
  const listen = (): void => {
    try {
      const made = watch(dirname(file), { persistent: false }, soon);
      made.on('error', () => {
        made.close();
        watcher = undefined;
      });
      watcher = made;
    } catch {
      watcher = undefined; // No such folder yet, or no watches left: the interval goes on looking and tries again.
    }
  };

  const interval = setInterval(() => {
    if (!watcher) listen();
    void look();
  }, intervalMs).unref();
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(interval);
      clearTimeout(quiet);
      watcher?.close();
    },
    { once: true },
  );
  listen();
  soon(); // It may have changed between the first load and now.
}
