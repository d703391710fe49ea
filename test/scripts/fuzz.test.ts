import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { untilEnded } from '../cli/command-process.ts';

const fuzz = (...argv: readonly string[]) =>
  untilEnded(spawn(process.execPath, ['scripts/fuzz.mjs', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] }));

describe('the cases of properties', () => {
  it('are the same in every run of one seed', () => {
    const [first] = fc.sample(fc.integer(), 1);
    expect(fc.sample(fc.integer(), { numRuns: 1, seed: fc.readConfigureGlobal()?.seed ?? 0 })).toEqual([first]);
  });

  it('are others in each round of `npm run fuzz`, which names their seed', async () => {
    const { code, stdout } = await fuzz('0', 'test/model/ids.test.ts');
    expect(stdout).toMatch(/^round 1: SCANMUX_TEST_SEED=\d+$/m);
    expect(stdout).toMatch(/Tests .*passed/);
    expect(code).toBe(0);
  }, 120_000);

  it('are refused for a time that is none', async () => {
    expect(await fuzz('soon')).toMatchObject({ code: 2, stderr: 'How many minutes? Not soon.\n' });
  });
});
