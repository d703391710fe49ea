import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/policy/policy-schema.ts';
import { policyOf } from './policy-bench.ts';

const example = readFileSync('config/policy.yaml', 'utf8');
const page = readFileSync('docs/security.md', 'utf8');

describe('the commented example of policy.yaml', () => {
  it('is valid and opens this machine only', async () => {
    const { one } = policyOf({ yaml: example });
    expect(await one('localhost')).toMatchObject({ allowed: true });
    expect(await one('10.1.0.1')).toMatchObject({ allowed: false, rule: 'default deny' });
  });

  it('is valid with every commented entry switched on', () => {
    const on = example.replace('deny: []', 'deny:').replace(/^ {2}# (- |  [a-z_]+:)/gm, '  $1');
    const rules = parsePolicy(on);
    expect(rules.allow.map(({ text }) => text)).toEqual([
      'localhost',
      '10.1.0.0/24',
      '10.2.0.10-10.2.0.20',
      'app.example.com',
      '*.staging.example.com',
      'https://shop.example.com/api',
    ]);
    expect(rules.deny).toHaveLength(2);
  });
});

describe('docs/security.md', () => {
  it('shows no command but those there are', () => {
    const known = [
      'policy show',
      'policy allow',
      'policy deny',
      'policy check',
      'audit verify',
      'audit tail',
      'doctor',
    ];
    const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
    const spans = [...page.matchAll(/`(scanmux [^`]+)`/g)].map(([, span = '']) => span);
    const shown = [...blocks, ...spans].map((line) => line.replace(/^scanmux (policy \w+|audit \w+|\w+).*$/, '$1'));
    expect([...new Set(shown)].toSorted()).toEqual(known.toSorted());
  });

  it('tells the truth about the examples it uses', async () => {
    const { one } = policyOf({
      yaml: JSON.stringify({ allow: ['*.example.com', '0.0.0.0/0'] }),
      names: { 'a.example.com': ['8.8.8.8'], 'a.b.example.com': ['8.8.8.8'] },
    });
    expect(await one('a.b.example.com')).toMatchObject({ rule: 'allow *.example.com' });
    expect(await one('10.0.0.1')).toMatchObject({ allowed: false });
  });
});
