import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeAll(() => {
  place = createPlace();
  mkdirSync(place.config, { mode: 0o700 });
});
afterAll(() => place.clean());

const policy = (...argv: string[]) => runCommand(place, ['policy', ...argv]);

describe('the scope of a tenant on the command line', () => {
  it('is opened for it alone, shown with its name, and taken back', async () => {
    const opened = await policy('allow', '10.1.0.0/24', '--tenant', 'acme');
    expect(opened.stdout).toMatch(/10\.1\.0\.0\/24 is now in allow of .* for tenant acme\./);
    expect((await policy('check', '10.1.0.7', '--tenant', 'acme')).code).toBe(0);
    const own = await policy('check', '10.1.0.7');
    expect(own.code).toBe(3);
    expect(own.stdout).toContain('scanmux policy allow 10.1.0.7.');
    expect((await policy('check', '10.9.0.7', '--tenant', 'acme')).stdout).toContain('allow 10.9.0.7 --tenant acme');
    expect((await policy('show')).stdout).toContain('- 10.1.0.0/24 for acme');
    expect((await policy('allow', '10.1.0.0/24', '--tenant', 'acme', '--remove')).code).toBe(0);
    expect((await policy('check', '10.1.0.7', '--tenant', 'acme')).code).toBe(3);
  });

  it('is of a tenant that can be', async () => {
    const ended = await policy('allow', '10.1.0.0/24', '--tenant', '*');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/--tenant: must be 1 to 63/);
  });
});
