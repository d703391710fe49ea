import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createCredentials } from '../../src/credentials/create-credentials.ts';
import type { CheckedTarget, CredentialUse } from '../../src/credentials/credentials.ts';
import { AppError } from '../../src/model/errors.ts';
import { parseTarget } from '../../src/policy/target.ts';
import { tempFolder } from './folder.ts';

const FILE = `
lab:
  kind: ssh_password
  username: scan
  description: "Lab \\x1b[31mhosts"
  pools: [nessus, other]
  targets: [10.1.0.0/24, 10.2.0.1-10.2.0.9, "fd00::/64", localhost]
  password: { env: LAB }
  escalation: { method: sudo }
domain:
  kind: windows_password
  username: scan
  pools: [nessus]
  targets: ["*.corp.example", 10.9.0.1]
  trust_dns: true
  password: { env: LAB }
theirs:
  kind: windows_password
  username: scan
  pools: [nessus]
  targets: [10.0.0.0/8]
  tenants: [acme]
  password: { env: LAB }
nowhere: { kind: ssh_password, username: u, pools: [nessus], password: { env: LAB } }
poolless: { kind: ssh_password, username: u, targets: [10.0.0.0/8], password: { env: LAB } }
`;

const LOCAL = { tenant: 'local' };

function credentials(text = FILE, cleanUp: (remove: () => void) => void = onTestFinished) {
  const folder = tempFolder(cleanUp);
  const file = folder.write('credentials.yaml', text);
  return { made: createCredentials({ file, env: {} }), file, folder };
}

/** `name=address,address` for a name that resolved to these. */
function checked(text: string): CheckedTarget {
  const [target = '', addresses = ''] = text.split('=');
  return { target: parseTarget(target), addresses: addresses === '' ? [] : addresses.split(',') };
}

const use = (targets: readonly string[], more: Partial<CredentialUse> = {}): CredentialUse => ({
  caller: LOCAL,
  pool: 'nessus',
  privilege: 'user',
  targets: targets.map(checked),
  ...more,
});

describe('where a credential may be used', () => {
  const { made } = credentials(FILE, afterAll);

  it.each([
    ['lab', '10.1.0.7'],
    ['lab', '10.1.0.0/25'],
    ['lab', '10.2.0.3-10.2.0.9'],
    ['lab', '10.1.0.7:22'],
    ['lab', 'http://10.1.0.7/'],
    ['lab', '[fd00::1]:22'],
    ['lab', 'fd00::1'],
    ['lab', 'localhost=127.0.0.1,::1'],
    ['lab', 'db.example=10.1.0.7'],
    ['lab', 'db.example:22=10.1.0.7,fd00::5'],
    ['lab', 'https://db.example/=10.1.0.7'],
    ['domain', 'a.corp.example=203.0.113.9'],
    ['domain', '10.9.0.1'],
  ])('%s goes to %s', (ref, target) => {
    expect(made.check(ref, use([target]))).toBeUndefined();
  });

  it.each([
    ['lab', '10.1.1.7', '10.1.1.7 is outside its targets'],
    ['lab', '10.1.0.0/23', 'is outside'],
    ['lab', '10.2.0.3-10.2.0.10', 'is outside'],
    ['lab', '::ffff:10.1.1.7', '10.1.1.7 is outside'],
    ['lab', 'db.example=10.1.1.7', 'db.example resolves to 10.1.1.7, which is outside its targets'],
    ['lab', 'db.example=10.1.0.7,203.0.113.9', 'resolves to 203.0.113.9'],
    ['lab', 'db.example=10.1.0.7,fd00:1::1', 'resolves to fd00:1::1'],
    ['lab', 'db.example', 'has no checked address'],
    ['lab', 'db.example=fe80::1%eth0', 'resolves to fe80::1%eth0'],
    ['domain', 'corp.example=10.9.0.2', 'resolves to 10.9.0.2'],
    ['domain', 'a.badcorp.example=10.9.0.2', 'resolves to 10.9.0.2'],
    ['nowhere', '127.0.0.1', 'is outside its targets'],
  ])('%s does not go to %s', (ref, target, why) => {
    const refusal = made.check(ref, use([target]));
    expect(refusal).toMatchObject({ code: 'credential_denied', message: expect.stringContaining(why) });
    expect(refusal?.hint).toMatch(/Operator|operator: .*credentials\.yaml\. Do not retry\.$/);
    expect(refusal?.targets).toEqual([checked(target).target.text]);
  });

  it('names the first few targets that are outside, and lists them all', () => {
    const targets = Array.from({ length: 10 }, (_, index) => `10.8.0.${index}`);
    const refusal = made.check('lab', use(['10.1.0.1', ...targets]));
    expect(refusal?.targets).toEqual(targets);
    expect(refusal?.message).toMatch(/10\.8\.0\.2 is outside its targets\. And 7 more\.$/);
  });

  it('goes only to its pools, and says which', () => {
    expect(made.check('lab', use(['10.1.0.1'], { pool: 'elsewhere' }))).toMatchObject({
      code: 'credential_denied',
      message: 'Credential lab may not be used with pool elsewhere; it is for nessus, other.',
    });
    expect(made.check('poolless', use(['10.1.0.1']))).toMatchObject({
      code: 'credential_denied',
      message: expect.stringContaining('it is for no pool'),
    });
  });

  it('rises to administrator only where it was told how', () => {
    expect(made.check('lab', use(['10.1.0.1'], { privilege: 'elevated' }))).toBeUndefined();
    expect(made.check('domain', use(['10.9.0.1'], { privilege: 'elevated' }))).toMatchObject({
      code: 'credential_denied',
      message: expect.stringContaining('privilege elevated'),
      hint: expect.stringContaining('Use privilege user'),
    });
  });
});

describe('a name that is no credential', () => {
  it('is told the valid ones, and the one that was meant', () => {
    const { made } = credentials();
    expect(made.check('labs', use([]))).toMatchObject({
      code: 'credential_unknown',
      message: 'There is no credential "labs". Credentials: domain, lab, nowhere, poolless. Did you mean lab?',
    });
  });

  it('is also one of another tenant', () => {
    const { made } = credentials();
    expect(made.check('theirs', use([]))).toMatchObject({ code: 'credential_unknown' });
    expect(made.describe(LOCAL).refs.map(({ ref }) => ref)).toEqual(['domain', 'lab', 'nowhere', 'poolless']);
    expect(made.describe({ tenant: 'acme' }).refs.map(({ ref }) => ref)).toEqual(['theirs']);
    expect(made.check('theirs', use(['10.0.0.1'], { caller: { tenant: 'acme' } }))).toBeUndefined();
  });

  it('is any name while nothing is set up', () => {
    const made = createCredentials({ file: '/nonexistent/credentials.yaml', env: {} });
    expect(made.describe(LOCAL)).toEqual({ refs: [] });
    expect(made.check('\u001b[31m', use([]))).toMatchObject({
      code: 'credential_unknown',
      message: 'There is no credential "\\\\u{1b}[31m": none is set up.',
    });
  });
});

describe('what is told of credentials', () => {
  it('is name, kind and a cleaned description, for the pools asked about', () => {
    const { made } = credentials();
    expect(made.describe(LOCAL, ['other'])).toEqual({
      refs: [{ ref: 'lab', kind: 'ssh_password', description: 'Lab \\u{1b}[31mhosts' }],
    });
    expect(JSON.stringify(made.describe(LOCAL))).not.toMatch(/LAB|scan"|10\./);
  });
});

describe('a credentials file that changes', () => {
  it('counts from the next question on; one that is broken or gone allows nothing', () => {
    const { made, file, folder } = credentials();
    expect(made.check('lab', use(['10.1.0.1']))).toBeUndefined();
    folder.write('credentials.yaml', `${FILE}lab: 1\n`);
    expect(made.check('lab', use(['10.1.0.1']))).toMatchObject({ code: 'config_invalid' });
    expect(made.describe(LOCAL)).toMatchObject({ refs: [], lastError: expect.stringContaining('stands here twice') });
    folder.write('credentials.yaml', FILE.replace('10.1.0.0/24', '10.1.5.0/24'));
    expect(made.check('lab', use(['10.1.0.1']))).toMatchObject({ code: 'credential_denied' });
    rmSync(file);
    expect(made.check('lab', use(['10.1.0.1']))).toMatchObject({ code: 'credential_unknown' });
  });

  it('is not resolved while it is broken', async () => {
    const { made } = credentials('a: [');
    await expect(made.resolve('a', { privilege: 'user' }, new AbortController().signal)).rejects.toBeInstanceOf(
      AppError,
    );
  });
});
