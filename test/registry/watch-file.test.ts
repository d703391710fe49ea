import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signatureOf } from '../../src/registry/file.ts';
import { watchFile } from '../../src/registry/watch-file.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';

describe('watchFile', () => {
  it('takes a missing file for a change only when it is still missing at a second look', async () => {
    const file = join(temporaryFolder(), 'scanners.yaml');
    writeFileSync(file, 'one');
    const read = await signatureOf(file);
    renameSync(file, `${file}~`);
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    const happened: string[] = [];
    await new Promise<void>((resolve) => {
      watchFile(
        {
          file,
          lastSignature: () => read,
          looked() {
            happened.push(existsSync(file) ? 'there' : 'missing');
            if (!existsSync(file)) writeFileSync(file, 'two');
          },
          reload() {
            happened.push('reload');
            resolve();
            return Promise.resolve();
          },
          intervalMs: 3_600_000,
        },
        controller.signal,
      );
    });
    expect(happened).toEqual(['missing', 'there', 'reload']);
  });
});
