import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
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

  it('is of every tenant', async () => {
    expect((await policy('allow', '10.3.0.0/24', '--tenant', '*')).code).toBe(0);
    expect((await policy('check', '10.3.0.7', '--tenant', 'blue')).code).toBe(0);
    expect((await policy('check', '10.3.0.7')).code).toBe(0);
    expect((await policy('deny', '10.3.0.9', '--tenant', '*')).code).toBe(0);
    expect((await policy('check', '10.3.0.9', '--tenant', 'blue')).code).toBe(3);
    expect((await policy('deny', '10.3.0.9', '--tenant', '*', '--remove')).stdout).toContain('no longer in deny');
    const said = (await runCommand(place, ['audit', 'tail'])).stdout;
    expect(said).toMatch(/policy_change {2}allowed {2}10\.1\.0\.0\/24 {2}removed from allow for tenant acme/);
    expect(said).toMatch(/10\.3\.0\.9 {2}deny for every tenant/);
  });

  it('is of a tenant that can be', async () => {
    const ended = await policy('allow', '10.1.0.0/24', '--tenant', '**');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/--tenant: must be 1 to 63/);
  });
});

describe('the first change of the scope', () => {
  const fresh = (): Place => {
    const made = createPlace();
    onTestFinished(() => made.clean());
    return made;
  };
  const allow = (at: Place, ...argv: string[]) => runCommand(at, ['policy', 'allow', ...argv]);

  it('writes the file, also when the built-in scope of the command line says the same', async () => {
    const at = fresh();
    const { code, stdout, stderr } = await allow(at, 'localhost');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('localhost is now in allow') });
    expect(stderr).toContain('localhost for every caller of tenant local, over HTTP as well');
    expect(readFileSync(join(at.config, 'policy.yaml'), 'utf8')).toContain('- target: localhost');
    expect((await allow(at, 'localhost')).stdout).toContain('Nothing to change');
  });

  it('opens localhost to nobody when it names a tenant', async () => {
    const at = fresh();
    const { stderr } = await allow(at, '10.1.0.7', '--tenant', 'acme');
    expect(stderr).toContain('It does not allow localhost');
    expect(readFileSync(join(at.config, 'policy.yaml'), 'utf8')).not.toContain('localhost');
    expect((await runCommand(at, ['policy', 'check', 'localhost'])).code).toBe(3);
  });

  it('is of two scopes before it, and both are told', async () => {
    const at = fresh();
    const both = 'stdio and command line: loopback only; serve: nothing';
    expect((await runCommand(at, ['policy', 'show'])).stdout).toContain(both);
    expect((await runCommand(at, ['policy', 'check', 'localhost'])).stderr).toContain('`scanmux serve` allows nothing');
    expect((await runCommand(at, ['doctor'])).stdout).toContain(both);
  });

  it('takes nothing out of a file that is not there', async () => {
    const at = fresh();
    expect((await allow(at, '10.1.0.7', '--remove')).stdout).toContain('Nothing to change');
    expect(existsSync(join(at.config, 'policy.yaml'))).toBe(false);
  });
});
