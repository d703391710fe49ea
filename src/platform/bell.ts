import { closeSync, constants, mkdirSync, openSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Wakes other processes on this machine: whoever rings writes one byte into a small file, the system tells everyone who
 * watches it. A ring carries nothing and may be lost or doubled; it only says "look again", and every listener also
 * looks now and then by itself.
 */
export interface Bell {
  /** False when nobody can have heard it: the disk had no room for the byte. What the ring is about is done by then. */
  ring(): boolean;
  /** Calls `heard` after rings of this and other processes, until the returned function is called. */
  listen(heard: () => void): () => void;
  close(): void;
}

/** @param name A file name, e.g. `jobs`. The file is made in `folder/bells`. */
export function createBell(folder: string, name: string): Bell {
  const path = join(folder, 'bells', name);
  mkdirSync(join(folder, 'bells'), { recursive: true, mode: 0o700 });
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const listeners = new Set<() => void>();
  let stopWatching: (() => void) | undefined;
  let closed = false;

  const start = (): void => {
    const watcher = watch(path, { persistent: false }, () => {
      for (const heard of listeners) heard();
    });
    // Watching can be refused (inotify limits): listeners then live by their own slow look.
    watcher.on('error', () => watcher.close());
    stopWatching = () => watcher.close();
  };

  return {
    ring() {
      if (closed) return false;
      try {
        return writeSync(fd, '.', 0) === 1; // always the first byte: the file never grows
      } catch {
        return false;
      }
    },
    listen(heard) {
      listeners.add(heard);
      if (!stopWatching) start();
      return () => {
        listeners.delete(heard);
        if (listeners.size > 0) return;
        stopWatching?.();
        stopWatching = undefined;
      };
    },
    close() {
      if (closed) return;
      closed = true;
      listeners.clear();
      stopWatching?.();
      stopWatching = undefined;
      closeSync(fd);
    },
  };
}
