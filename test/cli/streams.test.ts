import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlace, MAIN, runCommand, untilEnded, type Ended, type Place } from './command-process.ts';

let place: Place;
/** Every write fails as on a full disk. */
let full: number;
beforeAll(() => {
  place = createPlace();
  full = openSync('/dev/full', 'w');
});
afterAll(async () => {
  closeSync(full);
  await place.clean();
});

function run(argv: readonly string[], stdout: 'pipe' | number, stderr: 'pipe' | number): Promise<Ended> {
  const env = { ...place.env };
  return untilEnded(spawn(process.execPath, [MAIN, ...argv], { env, stdio: ['ignore', stdout, stderr] }));
}

describe('a command whose output finds no room', () => {
  it('does not say that it succeeded when the answer was lost', async () => {
    const { code, stderr } = await run(['keys', 'create', '--name', 'lost'], full, 'pipe');
    expect(stderr).toMatch(/^storage_full: The answer could not be written to stdout: .*\n.*may be done all the same/m);
    expect(code).toBe(5);
    expect((await runCommand(place, ['keys', 'list'])).stdout).toMatch(/ lost /);
  });

  it('succeeds when only what is said about the answer was lost', async () => {
    const { code, stdout } = await run(['list'], 'pipe', full);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'No scans.\n' });
  });

  it('works on when it is the log', async () => {
    expect(await run(['worker'], 'pipe', full)).toMatchObject({ code: 0 });
  });
});
