import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXAMPLES_FOLDER } from '../../src/config/init.ts';
import { CredentialKind } from '../../src/model/credential.ts';
import { readCredentials } from '../../src/credentials/read-credentials.ts';

const problemsIn = (text: string): string => {
  try {
    readCredentials(text, 'credentials.yaml');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
};

const GOOD = `
lab:
  kind: ssh_password
  username: scan
  pools: [nessus]
  targets: [10.1.0.0/24, 10.2.0.1-10.2.0.9]
  password: { env: LAB_PASSWORD }
`;

describe('config/credentials.yaml', () => {
  const example = readFileSync(join(EXAMPLES_FOLDER, 'credentials.yaml'), 'utf8');

  it('holds nothing as it is', () => {
    expect(readCredentials(example, 'credentials.yaml').size).toBe(0);
  });

  it('shows each kind and each place of a secret, and is right when the comments are taken away', () => {
    const used = example.replace(/^##.*\n/gm, '').replace(/^# /gm, '');
    const known = [...readCredentials(used, 'credentials.yaml').values()];
    expect(new Set(known.map(({ entry }) => entry.kind))).toEqual(new Set(CredentialKind.options));
    for (const place of ['env:', 'file:', 'command:', 'timeout_seconds:', 'escalation:', 'tenants:', 'trust_dns:'])
      expect(used).toContain(place);
  });
});

describe('a credentials file', () => {
  it('covers nothing and goes to no pool unless it says so', () => {
    const [only] = readCredentials('a: { kind: ssh_password, username: u, password: { env: A } }', 'f').values();
    expect(only).toMatchObject({ ref: 'a', covers: [], entry: { pools: [], targets: [], tenants: ['local'] } });
  });

  it('is refused as a whole, with every mistake and its line', () => {
    const text = `${GOOD}
other:
  kind: ssh_key
  usernme: scan
  private_key: { file: keys/id }
third: { kind: telnet }
Fourth: { kind: windows_password, username: u, password: { env: A, file: /b } }
`;
    const problems = problemsIn(text);
    expect(problems).toMatch(/^credentials\.yaml:11: other\.usernme: unknown key; did you mean username\?$/m);
    expect(problems).toMatch(/credentials\.yaml:12: other\.private_key\.file: must be an absolute path/);
    expect(problems).toMatch(/credentials\.yaml:13: third\.kind: must be one of ssh_password/);
    expect(problems).toMatch(/credentials\.yaml:14: Fourth: the name must be/);
    expect(problems).toMatch(/credentials\.yaml:14: Fourth\.password: must hold exactly one of env, file and command/);
  });

  it.each([
    ['password', `  password: hunter2hunter2`, 7],
    ['a password of digits', `  password: 4711471147114711`, 7],
    ['passwords', `  password: [hunter2hunter2]`, 7],
    ['an escalation password', `  password: { env: A }\n  escalation: { method: sudo, password: hunter2hunter2 }`, 8],
    ['a secret under a name of its own', `  password: { value: hunter2hunter2 }`, 7],
    [
      'a password that lost its key',
      `  password: { env: A }\n  hunter2hunter2hunter2hunter2hunter2hunter2hunter2: x`,
      8,
    ],
  ])('with %s in it is refused with the line, and the secret is not repeated', (_title, lines, line) => {
    const text = `\nlab:\n  kind: ssh_password\n  username: scan\n  pools: [nessus]\n  targets: [10.1.0.0/24]\n${lines}\n`;
    const problems = problemsIn(text);
    expect(problems).toMatch(new RegExp(`^credentials\\.yaml:${line}: `, 'm'));
    expect(problems).not.toMatch(/hunter2hunter2|4711/);
  });

  it('with a key written into it is refused, and says where keys belong', () => {
    const text = `lab:\n  kind: ssh_key\n  username: scan\n  private_key: |\n    -----BEGIN KEY-----\n    c2VjcmV0\n`;
    expect(problemsIn(text)).toMatch(/credentials\.yaml:4: lab\.private_key: a secret may not stand in this file/);
    expect(problemsIn(text)).not.toContain('c2VjcmV0');
  });

  it('may not let DNS decide who gets a login, unless it says so', () => {
    const withTargets = (targets: string, more = '') =>
      `lab: { kind: ssh_password, username: u, password: { env: A }, targets: [${targets}]${more} }`;
    expect(problemsIn(withTargets('db.example.com'))).toMatch(/targets\[0\]: a name leads wherever its DNS says/);
    expect(problemsIn(withTargets('"*.example.com"'))).toMatch(/trust_dns: true/);
    expect(problemsIn(withTargets('"*.example.com"', ', trust_dns: true'))).toBe('');
    expect(problemsIn(withTargets('localhost'))).toBe('');
    expect(problemsIn(withTargets('https://10.0.0.1/x', ', trust_dns: true'))).toMatch(/not for a URL/);
    expect(problemsIn(withTargets('10.0.0.1:22'))).toMatch(/an entry has no port/);
    expect(problemsIn(withTargets('010.0.0.1'))).toMatch(/unusual spelling/);
  });

  it('says what belongs together', () => {
    const wrong = 'a: { kind: ssh_password, username: u, password: { env: A, timeout_seconds: 5 } }';
    expect(problemsIn(wrong)).toMatch(/a\.password: timeout_seconds and pass_env belong to command/);
    expect(problemsIn('- a')).toMatch(/must map the name of each credential/);
    expect(problemsIn('a: 1')).toMatch(/a: must hold kind/);
  });
});
