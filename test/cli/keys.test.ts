import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_PREFIX, prefixOfKey } from '../../src/model/api-key.ts';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeAll(() => {
  place = createPlace();
  mkdirSync(place.config, { mode: 0o700 });
});
afterAll(() => place.clean());

const keys = (...argv: string[]) => runCommand(place, ['keys', ...argv]);

describe('API keys on the command line', () => {
  it('are shown once, listed without their secret, and revoked by their prefix', async () => {
    const made = await keys('create', '--name', 'ci', '--tenant', 'acme', '--scopes', 'scan:read,scan:intrusive');
    expect(made.code).toBe(0);
    const key = made.stdout.trim();
    const prefix = prefixOfKey(key) ?? '';
    expect(prefix).toMatch(KEY_PREFIX);
    expect(made.stderr).toContain('only time the key is shown');
    expect(made.stderr).not.toContain(key);

    const listed = await keys('list');
    expect(listed.stdout).toMatch(new RegExp(`${prefix} +active +acme +ci +scan:read,scan:intrusive +never`));
    expect(listed.stdout).not.toContain(key.slice(prefix.length + 1));

    const revoked = await keys('revoke', prefix);
    expect(revoked).toMatchObject({ code: 0 });
    expect((await keys('list')).stdout).toMatch(new RegExp(`${prefix} +revoked`));
    const again = await keys('revoke', key);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`${prefix} is no key, or was revoked before`);

    const audit = (await runCommand(place, ['audit', 'tail', '--json'])).stdout;
    expect(audit).toMatch(/key_create[\s\S]*key_revoke/);
    expect(audit.match(/"action":"key_revoke","decision":"\w+"/g)).toEqual([
      '"action":"key_revoke","decision":"allowed"',
      '"action":"key_revoke","decision":"denied"',
    ]);
    expect(audit).not.toContain(key.slice(prefix.length + 1));
    expect((await runCommand(place, ['audit', 'verify'])).code).toBe(0);
  });

  it('are of this machine and may read and run by default, and expire when told', async () => {
    const made = await keys('create', '--name', 'mine', '--expires', '90d', '--json');
    const facts: unknown = JSON.parse(made.stdout);
    expect(facts).toMatchObject({ tenant: 'local', scopes: ['scan:read', 'scan:run'] });
    const [first]: { expires_at?: string }[] = JSON.parse((await keys('list', '--json')).stdout);
    const days = (Date.parse(first?.expires_at ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThan(90.1);
  });

  it.each([
    [['create'], /--name/],
    [['create', '--name', ' '], /--name: must say who/],
    [['create', '--name', 'x', '--tenant', '*'], /--tenant: must be 1 to 63/],
    [['create', '--name', 'x', '--scopes', 'scan:all'], /--scopes: /],
    [['create', '--name', 'x', '--expires', '0d'], /--expires "0d": must be like 90d/],
    [['create', '--name', 'x', '--expires', '2020-01-01'], /must be like 90d/],
    [['create', '--name', 'x', '--expires', '99999d'], /At most 3650 days/],
    [['revoke', 'smx_'], /no key: a prefix looks like/],
  ])('refuses %j with what is wrong', async (argv, said) => {
    const before = (await keys('list', '--json')).stdout;
    const ended = await keys(...argv);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(said);
    expect((await keys('list', '--json')).stdout).toBe(before);
  });
});
