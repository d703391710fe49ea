import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { editPolicy, type PolicyEdit } from '../../src/policy/edit-policy.ts';
import { policyFileWarnings } from '../../src/policy/file-warnings.ts';
import { parsePolicy } from '../../src/policy/policy-schema.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scanmux-edit-'));
  file = join(folder, 'policy.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const read = (): string => readFileSync(file, 'utf8');
const allowed = (): string[] => parsePolicy(read()).allow.map(({ text }) => text);
const edit = (change: PolicyEdit) => editPolicy(file, change, NOW);

const COMMENTED = `# scope of the lab
max_hosts: 64 # small
allow:
  # the lab
  - target: 10.1.0.0/24 # rack 4
    note: OPS-17
    expires: 2026-05-31
  - 10.2.0.1
deny:
  - 10.1.0.13
`;

describe('editPolicy', () => {
  it('makes the file when there is none, with loopback kept, readable by its owner only', async () => {
    file = join(folder, 'new', 'policy.yaml');
    expect(await edit({ list: 'allow', target: '10.1.0.7/24', note: 'lab' })).toMatchObject({
      changed: true,
      created: true,
      entry: '10.1.0.0/24',
    });
    expect(allowed()).toEqual(['localhost', '10.1.0.0/24']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves the file to those who could read it, such as the group of a service', async () => {
    writeFileSync(file, COMMENTED);
    chmodSync(file, 0o640);
    const { uid, gid } = statSync(file);
    await edit({ list: 'allow', target: '127.0.0.2' });
    expect(statSync(file)).toMatchObject({ uid, gid, mode: 0o100640 });
  });

  it('adds an entry and keeps comments, order and the rest', async () => {
    writeFileSync(file, COMMENTED);
    await edit({ list: 'allow', target: '*.Example.com', expires: '2027-01-31' });
    expect(read()).toBe(
      COMMENTED.replace('  - 10.2.0.1\n', '  - 10.2.0.1\n  - target: "*.example.com"\n    expires: 2027-01-31\n'),
    );
  });

  it('makes no second entry for another spelling of the same place', async () => {
    writeFileSync(file, COMMENTED);
    expect(await edit({ list: 'allow', target: '::ffff:10.2.0.1' })).toMatchObject({ changed: false });
    expect(read()).toBe(COMMENTED);
  });

  it('gives an entry that is there its new note and date, and lifts a date that has passed', async () => {
    writeFileSync(file, COMMENTED);
    expect(await edit({ list: 'allow', target: '10.1.0.0/24' })).toMatchObject({ changed: true });
    expect(parsePolicy(read()).allow[0]?.expiresAt).toBeUndefined();
    await edit({ list: 'allow', target: '10.1.0.0/24', expires: '2027-01-31' });
    await edit({ list: 'allow', target: '10.1.0.0/24', note: 'OPS-18' });
    expect(read()).toMatch(/rack 4\n    note: OPS-18\n    expires: 2027-01-31/);
  });

  it('tells when a deny entry still wins, and leaves it', async () => {
    writeFileSync(file, COMMENTED);
    expect(await edit({ list: 'allow', target: '10.1.0.13' })).toMatchObject({ stillDeniedBy: ['10.1.0.13'] });
    expect(parsePolicy(read()).deny).toHaveLength(1);
  });

  it('denies and takes entries out', async () => {
    writeFileSync(file, COMMENTED);
    await edit({ list: 'deny', target: 'pay.example.com' });
    expect(parsePolicy(read()).deny.map(({ text }) => text)).toEqual(['10.1.0.13', 'pay.example.com']);
    expect(await edit({ list: 'deny', target: '10.1.0.13', remove: true })).toMatchObject({ changed: true });
    expect(await edit({ list: 'deny', target: '10.1.0.13', remove: true })).toMatchObject({ changed: false });
    expect(parsePolicy(read()).deny.map(({ text }) => text)).toEqual(['pay.example.com']);
  });

  it('makes no file by taking out what was never there', async () => {
    await edit({ list: 'allow', target: '10.0.0.1', remove: true });
    expect(existsSync(file)).toBe(false);
  });

  it('adds to a list written on one line or left empty', async () => {
    writeFileSync(file, 'allow: [10.0.0.1]\ndeny:\n');
    await edit({ list: 'allow', target: '10.0.0.2' });
    await edit({ list: 'deny', target: '10.0.0.3' });
    expect(allowed()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(parsePolicy(read()).deny).toHaveLength(1);
  });

  it.each(['127.1', '10.0.0.0/33', 'app.example:443', '10.0.0.1\ndeny: []'])(
    'refuses the entry %j and writes nothing',
    async (target) => {
      writeFileSync(file, COMMENTED);
      await expect(edit({ list: 'allow', target })).rejects.toMatchObject({ code: 'invalid_request' });
      expect(read()).toBe(COMMENTED);
    },
  );

  it('refuses a wrong date, and a date on a deny, and leaves no draft behind', async () => {
    writeFileSync(file, COMMENTED);
    await expect(edit({ list: 'allow', target: '10.9.0.1', expires: 'soon' })).rejects.toMatchObject({
      code: 'config_invalid',
    });
    await expect(edit({ list: 'deny', target: '10.9.0.1', expires: '2027-01-01' })).rejects.toMatchObject({
      code: 'config_invalid',
    });
    expect(read()).toBe(COMMENTED);
    expect(existsSync(`${file}.edit`)).toBe(false);
  });

  it('leaves a broken file alone', async () => {
    writeFileSync(file, 'allow: [');
    await expect(edit({ list: 'allow', target: '10.0.0.1' })).rejects.toMatchObject({ code: 'config_invalid' });
    expect(read()).toBe('allow: [');
  });

  it('loses neither of two edits made at once: one is made or refused', async () => {
    writeFileSync(file, COMMENTED);
    const targets = ['10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4'];
    const outcomes = await Promise.allSettled(targets.map((target) => edit({ list: 'deny', target })));
    const made = targets.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    expect(made.length).toBeGreaterThan(0);
    expect(parsePolicy(read()).deny.map(({ text }) => text)).toEqual(expect.arrayContaining(made));
  });

  it('writes through a link instead of replacing it', async () => {
    const real = join(folder, 'real.yaml');
    writeFileSync(real, COMMENTED);
    symlinkSync(real, file);
    await edit({ list: 'allow', target: '10.9.0.1' });
    expect(readFileSync(real, 'utf8')).toContain('10.9.0.1');
  });
});

describe('policyFileWarnings', () => {
  it('is silent about a file and folder of the owner, and about none', async () => {
    chmodSync(folder, 0o700);
    expect(await policyFileWarnings(file)).toEqual([]);
    writeFileSync(file, '', { mode: 0o600 });
    expect(await policyFileWarnings(file)).toEqual([]);
  });

  it('names a file and a folder that others may write, with the fix', async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const inside = join(open, 'policy.yaml');
    writeFileSync(inside, '');
    chmodSync(inside, 0o664);
    expect(await policyFileWarnings(inside)).toEqual([
      `${inside} can be written by its group: chmod go-w ${inside}`,
      `${open} can be written by its group and everybody: chmod go-w ${open}`,
    ]);
  });
});
