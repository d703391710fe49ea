import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeAll(() => {
  place = createPlace();
  mkdirSync(place.config, { mode: 0o700 });
});
afterAll(() => place.clean());

const write = (name: string, text: string, mode = 0o600): string => {
  const file = join(place.config, name);
  writeFileSync(file, text, { mode });
  return file;
};

describe('logins on the command line', () => {
  it('cannot be used with an engine that does not log in', async () => {
    const ended = await runCommand(place, ['scan', '127.0.0.1', '--pool', 'baseline', '--credential', 'lab']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^option_unsupported: Pool baseline \(baseline\) cannot log in/);
  });

  it('are needed where more rights are asked for', async () => {
    const ended = await runCommand(place, ['scan', '127.0.0.1', '--privilege', 'elevated']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^invalid_request: --privilege: needs credential_ref/);
  });

  it('are looked at by the doctor: what others may read, what is not there, what is broken', async () => {
    expect((await runCommand(place, ['doctor'])).stdout).toMatch(/^ok +logins +no credentials are set up$/m);
    const loose = write('loose', 'secret', 0o644);
    const entry = `kind: ssh_password, username: u, pools: [p], targets: [10.0.0.1]`;
    write(
      'credentials.yaml',
      `a: { ${entry}, password: { file: ${loose} } }\nb: { ${entry}, password: { env: ABSENT } }\n`,
    );
    const { stdout } = await runCommand(place, ['doctor']);
    expect(stdout).toMatch(/^ok +logins +2 in credentials\.yaml$/m);
    expect(stdout).toMatch(
      /^warn +logins +a\.password: .*loose can be read or written by other users\. Fix: chmod 600 /m,
    );
    expect(stdout).toMatch(
      /^ok +logins +1 secret depends on environment variables; looked up in the environment of this command, and the next worker gets/m,
    );
    expect(stdout).toMatch(/^warn +logins +b\.password: the variable ABSENT is not set here\. Fix: /m);
    write('credentials.yaml', `a: { ${entry}, password: hunter2hunter2 }\n`);
    const broken = await runCommand(place, ['doctor']);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(
      /^fail +logins +.*credentials\.yaml:1: a\.password: a secret may not stand in this file/m,
    );
    expect(broken.stdout).not.toContain('hunter2');
  });
});
