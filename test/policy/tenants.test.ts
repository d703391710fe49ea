import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { editPolicy, type PolicyEdit } from '../../src/policy/edit-policy.ts';
import { parsePolicy } from '../../src/policy/policy-schema.ts';
import { parseTarget } from '../../src/policy/target.ts';
import { caller, policyOf } from './policy-bench.ts';

const SCOPE = `
allow:
  - 10.0.0.0/24
  - { target: 10.1.0.0/24, tenants: [acme, blue] }
  - { target: 10.2.0.0/24, tenants: ['*'], max_intensity: light }
  - { target: 10.3.0.0/24, tenants: [acme], expires: 2026-05-31 }
  - { target: 127.0.0.0/8, tenants: [blue] }
  - { target: '*.acme.test', tenants: [acme] }
deny:
  - 10.2.0.13
  - { target: 10.1.0.66, tenants: [acme] }
`;

const NAMES = { 'www.acme.test': ['203.0.113.7'] };

/** The rule that decided for a tenant. */
async function ruleFor(tenant: string, target: string): Promise<string> {
  const { policy } = policyOf({ yaml: SCOPE, names: NAMES });
  const ask = { intensity: 'light', caller: { ...caller, tenant } } as const;
  const { targets } = await policy.check([parseTarget(target)], ask, new AbortController().signal);
  return targets[0]?.rule ?? '';
}

describe('the scope of a tenant', () => {
  it.each([
    ['local', '10.0.0.1', 'allow 10.0.0.0/24'],
    ['acme', '10.0.0.1', 'default deny'],
    ['acme', '10.1.0.1', 'allow 10.1.0.0/24'],
    ['blue', '10.1.0.66', 'allow 10.1.0.0/24'],
    ['acme', '10.1.0.66', 'deny 10.1.0.66'],
    ['local', '10.1.0.1', 'default deny'],
    ['local', '10.2.0.1', 'allow 10.2.0.0/24'],
    ['nobody', '10.2.0.1', 'allow 10.2.0.0/24'],
    ['nobody', '10.2.0.13', 'deny 10.2.0.13'],
    ['acme', '10.3.0.1', 'expired: allow 10.3.0.0/24'],
    ['blue', '10.3.0.1', 'default deny'],
    ['blue', '127.0.0.1', 'allow 127.0.0.0/8'],
    ['local', '127.0.0.1', 'default deny'],
    ['acme', 'www.acme.test', 'allow *.acme.test'],
    ['blue', 'www.acme.test', 'default deny'],
    // A tenant is a name, not a pattern, and the one for all is nobody.
    ['*', '10.0.0.1', 'default deny'],
    ['', '10.0.0.1', 'default deny'],
    ['ACME', '10.1.0.1', 'default deny'],
  ])('%s may scan %s: %s', async (tenant, target, rule) => {
    expect(await ruleFor(tenant, target)).toBe(rule);
  });

  it('is not looked up for a tenant that nothing could be allowed to', async () => {
    const { policy, lookups } = policyOf({ yaml: 'allow: [{ target: 10.0.0.0/8, tenants: [acme] }]', names: NAMES });
    const ask = { intensity: 'light', caller: { ...caller, tenant: 'blue' } } as const;
    await policy.check([parseTarget('www.acme.test')], ask, new AbortController().signal);
    expect(lookups).toEqual([]);
  });

  it('says what an operator would type for it', async () => {
    const { policy } = policyOf({ yaml: SCOPE });
    const fixFor = async (tenant: string, target: string, intensity: 'light' | 'intrusive') => {
      const ask = { intensity, caller: { ...caller, tenant } };
      return (await policy.check([parseTarget(target)], ask, new AbortController().signal)).targets[0]?.fix;
    };
    expect(await fixFor('blue', '10.9.0.1', 'light')).toBe('Operator: scanmux policy allow 10.9.0.1 --tenant blue.');
    expect(await fixFor('local', '10.9.0.1', 'light')).toBe('Operator: scanmux policy allow 10.9.0.1.');
    expect(await fixFor('blue', '169.254.169.254', 'light')).toContain('allow 169.254.169.254 --tenant blue.');
    expect(await fixFor('blue', '10.2.0.1', 'intrusive')).toContain('allow 10.2.0.0/24 --tenant blue`');
    expect(await fixFor('blue', 'localhost', 'light')).not.toBe('');
  });

  it('without a file is loopback for this machine, and nothing for anybody else', async () => {
    const { policy } = policyOf({});
    const check = async (tenant: string) =>
      (
        await policy.check(
          [parseTarget('127.0.0.1')],
          { intensity: 'light', caller: { ...caller, tenant } },
          new AbortController().signal,
        )
      ).allowed;
    expect([await check('local'), await check('acme')]).toEqual([true, false]);
  });

  it('judges the hosts of a report too', () => {
    const { policy } = policyOf({ yaml: SCOPE });
    const hosts = [{ address: '10.1.0.1' }, { address: '10.0.0.1' }, { name: 'a.acme.test' }];
    const refused = (tenant: string) => policy.judgeReported(hosts, { tenant }).map(({ host }) => host);
    expect(refused('acme')).toEqual(['10.0.0.1']);
    expect(refused('local')).toEqual(['10.1.0.1', 'a.acme.test']);
  });

  it('is described to it without what is for others, and to the operator with whom each entry is for', () => {
    const { policy } = policyOf({ yaml: SCOPE });
    expect(policy.describe({ tenant: 'blue' })).toMatchObject({
      allow: ['10.1.0.0/24', '10.2.0.0/24', '127.0.0.0/8'],
      deny: ['10.2.0.13'],
    });
    expect(policy.describe('every tenant')).toMatchObject({
      allow: expect.arrayContaining(['10.0.0.0/24', '10.1.0.0/24 for acme, blue', '10.2.0.0/24 for *']),
      deny: ['10.2.0.13', '10.1.0.66 for acme'],
    });
  });

  it.each(['tenants: []', "tenants: ['a b']", 'tenants: acme', "tenants: ['']", 'tenants: null'])(
    'is not guessed from %s',
    (tenants) => {
      expect(() => parsePolicy(`allow: [{ target: 10.0.0.1, ${tenants} }]`)).toThrow(/tenants/);
      expect(() => parsePolicy(`deny: [{ target: 10.0.0.1, ${tenants} }]`)).toThrow(/tenants/);
    },
  );
});

describe('editing the scope of a tenant', () => {
  const NOW = Date.parse('2026-06-01T12:00:00Z');
  async function edited(yaml: string, change: PolicyEdit): Promise<{ changed: boolean; text: string }> {
    const { file } = policyOf({ yaml });
    const { changed } = await editPolicy(file, change, NOW);
    return { changed, text: readFileSync(file, 'utf8') };
  }
  const allow = (more: Partial<PolicyEdit> = {}): PolicyEdit => ({ list: 'allow', target: '10.0.0.1', ...more });
  const deny = (more: Partial<PolicyEdit> = {}): PolicyEdit => ({ list: 'deny', target: '10.0.0.1', ...more });
  const tenantsOf = (text: string) => {
    const { allow: open, deny: closed } = parsePolicy(text);
    return { allow: open.map(({ tenants }) => tenants), deny: closed.map(({ tenants }) => tenants) };
  };

  it('adds an entry of its own beside the one of others, whose date and note stay', async () => {
    const before = 'allow:\n  - target: 10.0.0.1\n    note: ours\n';
    const { changed, text } = await edited(before, allow({ tenant: 'acme', expires: '2026-12-31' }));
    expect(changed).toBe(true);
    expect(text).toContain(before);
    expect(tenantsOf(text).allow).toEqual([undefined, ['acme']]);
    const again = await edited(text, allow({ tenant: 'acme', expires: '2027-12-31' }));
    expect(tenantsOf(again.text).allow).toEqual([undefined, ['acme']]);
    expect(again.text).toContain('2027-12-31');
  });

  it('has nothing to change where an entry for several or for all holds already', async () => {
    for (const tenants of ['[acme, blue]', "['*']"]) {
      const yaml = `allow: [{ target: 10.0.0.1, tenants: ${tenants} }]\n`;
      expect((await edited(yaml, allow({ tenant: 'acme' }))).changed).toBe(false);
    }
    const over = "allow: [{ target: 10.0.0.1, tenants: ['*'], expires: 2026-05-01 }]\n";
    expect((await edited(over, allow({ tenant: 'acme' }))).changed).toBe(true);
  });

  it('takes out its own entry and no other', async () => {
    const yaml = 'allow:\n  - 10.0.0.1\n  - { target: 10.0.0.1, tenants: [acme] }\n';
    const acme = await edited(yaml, allow({ tenant: 'acme', remove: true }));
    expect(tenantsOf(acme.text).allow).toEqual([undefined]);
    const local = await edited(yaml, allow({ remove: true }));
    expect(tenantsOf(local.text).allow).toEqual([['acme']]);
    expect((await edited(yaml, allow({ tenant: 'blue', remove: true }))).changed).toBe(false);
  });

  it('does not take from others what they share, and says so', async () => {
    const yaml = 'allow: [{ target: 10.0.0.1, tenants: [acme, blue] }]\ndeny: [10.0.0.1]\n';
    await expect(edited(yaml, allow({ tenant: 'acme', remove: true }))).rejects.toMatchObject({
      code: 'invalid_request',
      message: '10.0.0.1 is in allow for acme, blue together.',
    });
    await expect(edited(yaml, deny({ tenant: 'acme', remove: true }))).rejects.toMatchObject({
      message: '10.0.0.1 is in deny for everybody together.',
    });
  });

  it('denies to everybody, or to one', async () => {
    const all = await edited('allow: []\n', deny());
    expect(tenantsOf(all.text).deny).toEqual([undefined]);
    expect((await edited(all.text, deny({ tenant: 'acme' }))).changed).toBe(false);
    const one = await edited('allow: []\n', deny({ tenant: 'acme' }));
    expect(tenantsOf(one.text).deny).toEqual([['acme']]);
    expect(tenantsOf((await edited(one.text, deny())).text).deny).toEqual([['acme'], undefined]);
    expect(tenantsOf((await edited(one.text, deny({ tenant: 'acme', remove: true }))).text).deny).toEqual([]);
  });
});
