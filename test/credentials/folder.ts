import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Folder {
  readonly path: string;
  /** Writes a file 0600 and gives its path. */
  write(name: string, text: string | Uint8Array, mode?: number): string;
}

/** @param cleanUp `afterAll` for a folder that is made outside a test. */
export function tempFolder(cleanUp: (remove: () => void) => void = onTestFinished): Folder {
  const path = mkdtempSync(join(tmpdir(), 'scanmux-credentials-'));
  cleanUp(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, text, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, text, { mode });
      return file;
    },
  };
}
