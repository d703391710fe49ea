import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const fuzz = (...argv: readonly string[]) =>
  spawnSync(process.execPath, ['scripts/fuzz.mjs', ...argv], { encoding: 'utf8' });

describe('the cases of properties', () => {
  it('are the same in every run of one seed', () => {
    const [first] = fc.sample(fc.integer(), 1);
    expect(fc.sample(fc.integer(), { numRuns: 1, seed: fc.readConfigureGlobal()?.seed ?? 0 })).toEqual([first]);
  });

  it('are others in each round of `npm run fuzz`, which names their seed', () => {
    const { status, stdout } = fuzz('0', 'test/model/ids.test.ts');
    expect(stdout).toMatch(/^round 1: SCANMUX_TEST_SEED=\d+$/m);
    expect(stdout).toMatch(/Tests .*passed/);
    expect(status).toBe(0);
    const odd = fuzz('soon');
    expect([odd.status, odd.stderr]).toEqual([2, 'How many minutes? Not soon.\n']);
  });
});
