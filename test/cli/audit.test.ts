import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokenText } from '../../src/cli/audit-check.ts';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clean());

/** A scan of a port nobody listens on: it is accepted, written down and soon over. */
async function scanOnce(): Promise<void> {
  const { code } = await runCommand(place, ['scan', '127.0.0.1', '--ports', '1', '--intensity', 'light']);
  expect([0, 6]).toContain(code);
}

/** As somebody would who has stopped everything: a worker that still ends takes some of the files away itself. */
async function remove(start: string): Promise<void> {
  await place.untilAlone();
  for (const name of readdirSync(place.data).filter((file) => file.startsWith(start))) rmSync(join(place.data, name));
}

describe('an audit log', () => {
  it('that is new is empty and unbroken, and says so', async () => {
    const { code, stdout, stderr } = await runCommand(place, ['audit', 'tail']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'The audit log is empty.\n' });
    expect((await runCommand(place, ['audit', 'verify'])).code).toBe(0);
  });

  it('without its database is broken, whoever asks, and is not made anew by asking', async () => {
    await scanOnce();
    await remove('audit.db');
    for (let time = 0; time < 2; time += 1) {
      const { code, stdout } = await runCommand(place, ['audit', 'verify']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/audit\.db is missing.*there\.\n$/) });
    }
    expect((await runCommand(place, ['audit', 'tail'])).stderr).toContain('audit.db is missing');
    const doctor = await runCommand(place, ['doctor']);
    expect({ code: doctor.code, stdout: doctor.stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^fail +audit .*audit\.db is missing/m),
    });
    // What opened the folder has made a database without entries, which is still no whole log.
    const after = await runCommand(place, ['audit', 'verify']);
    expect(after.code).toBe(1);
    expect(after.stdout).toMatch(/the log is empty: Entries 1 to \d+ were cut off the end\.\n$/);
  });

  it('that was deleted with its head is given away by the scans of the queue', async () => {
    await scanOnce();
    await remove('audit.');
    const { code, stdout } = await runCommand(place, ['audit', 'verify']);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/empty although the queue holds a scan, which was in it: .*deleted\.\n$/),
    });
    const doctor = await runCommand(place, ['doctor']);
    expect({ code: doctor.code, stdout: doctor.stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^fail +audit .*empty although/m),
    });
  });

  it('tells a break in one sentence', () => {
    const verdict = { ok: false, entries: 2, firstBad: 3, reason: 'audit.head is missing.', lastHash: '' };
    expect(brokenText(verdict)).toBe(' at entry 3: audit.head is missing.');
  });
});
