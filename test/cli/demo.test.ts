import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';

it('the demo finds weaknesses as a real client and leaves no process behind', async () => {
  const { error, stdout } = await new Promise<{ error: unknown; stdout: string }>((resolve) => {
    execFile(process.execPath, ['scripts/demo.mjs'], (failure, out) => resolve({ error: failure, stdout: out }));
  });
  expect(error).toBeNull();
  expect(stdout).toMatch(/^critical +\S/m);
  expect(stdout).toMatch(/^Not looked for:/m);
  const [, folder = ''] = /--data (\S+)/.exec(stdout) ?? [];
  expect(folder).not.toBe('');
  const processes = await new Promise<string>((resolve) => {
    execFile('ps', ['-eo', 'args'], { maxBuffer: 16 << 20 }, (_failure, out) => resolve(out));
  });
  expect(processes.split('\n').filter((line) => line.includes(folder))).toEqual([]);
}, 90_000);
