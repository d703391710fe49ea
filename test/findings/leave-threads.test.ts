import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('a process outlives its threads when they are let go in the middle of their work, and no file is left', async () => {
  const program = join(process.cwd(), 'test', 'programs', 'leave-threads.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, join(process.cwd(), 'dist')]);
  expect(stdout.trim()).toBe('{"left":0}');
}, 120_000);
