import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/policy/target.ts';
import { caller, policyOf, scope } from './policy-bench.ts';

describe('without a policy file', () => {
  it('stdio may scan loopback in every form, and nothing else', async () => {
    const { one, lookups } = policyOf({ mode: 'stdio' });
    for (const text of [
      '127.0.0.1',
      '127.1.2.3:80',
      '[::1]:8080',
      'localhost:3000',
      'http://localhost/',
      '127.0.0.0/30',
    ]) {
      expect(await one(text), text).toMatchObject({ allowed: true });
    }
    for (const text of ['10.0.0.1', '8.8.8.8', '0.0.0.0', 'example.com', 'foo.localhost', '169.254.169.254', '::2']) {
      expect(await one(text), text).toMatchObject({ allowed: false });
    }
    expect(lookups).toEqual([]);
  });

  it('stdio stops at the standard intensity', async () => {
    const { ask } = policyOf({});
    expect(await ask(['127.0.0.1'], 'standard')).toMatchObject({ allowed: true });
    const answer = await ask(['127.0.0.1'], 'intrusive');
    expect(answer).toMatchObject({
      allowed: false,
      refusal: { reason: expect.stringMatching(/at most at intensity standard/) },
    });
    expect(answer.refusal?.fix).toMatch(/operator: set max_intensity: intrusive/);
  });

  it('serve may scan nothing', async () => {
    const { one, policy } = policyOf({ mode: 'serve' });
    expect(await one('127.0.0.1')).toMatchObject({ allowed: false });
    expect(await one('localhost')).toMatchObject({ allowed: false });
    expect(policy.describe('every tenant')).toMatchObject({ source: 'built-in: nothing', allow: [] });
  });
});

describe('addresses', () => {
  it('refuses with the words operators search for', async () => {
    const { one } = policyOf({ yaml: scope(['10.9.0.0/24']) });
    expect(await one('10.1.0.0/24')).toMatchObject({
      allowed: false,
      rule: 'default deny',
      reason: '10.1.0.0/24 is outside the scope (default deny).',
      fix: 'Operator: scanmux policy allow 10.1.0.0/24.',
    });
  });

  it('names the entry that allowed', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/24']) });
    expect(await one('10.1.0.7')).toMatchObject({ allowed: true, rule: 'allow 10.1.0.0/24', resolved: ['10.1.0.7'] });
  });

  it('lets deny win over an entry for the very same address', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.13'], ['10.1.0.0/28']) });
    expect(await one('10.1.0.13')).toMatchObject({ allowed: false, rule: 'deny 10.1.0.0/28' });
  });

  it('refuses a network around a denied address and names what to leave out', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/24'], ['10.1.0.13']) });
    const decision = await one('10.1.0.0/24');
    expect(decision).toMatchObject({
      allowed: false,
      reason: '10.1.0.0/24 contains 10.1.0.13, which the policy denies (deny 10.1.0.13).',
    });
    expect(decision.fix).toMatch(/Leave 10\.1\.0\.13 out/);
    expect(await one('10.1.0.14-10.1.0.20')).toMatchObject({ allowed: true });
  });

  it('wants a network inside one entry', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/25', '10.1.0.128/25']) });
    expect(await one('10.1.0.0/24')).toMatchObject({ allowed: false });
    expect(await one('10.1.0.128/25')).toMatchObject({ allowed: true });
  });

  it('does not open special ranges by an entry around them', async () => {
    const { one } = policyOf({ yaml: scope(['0.0.0.0/0', '::/0', '10.0.0.0/7']) });
    expect(await one('8.8.8.8')).toMatchObject({ allowed: true });
    expect(await one('2606:4700::1')).toMatchObject({ allowed: true });
    for (const text of [
      '10.0.0.1',
      '192.168.0.1',
      '172.31.0.1',
      '100.64.0.1',
      '127.0.0.1',
      '198.18.0.1',
      '240.0.0.1',
      'fd00::1',
      '::1',
      'fec0::1',
    ]) {
      expect(await one(text), text).toMatchObject({ allowed: false });
    }
    expect((await one('10.0.0.1')).reason).toMatch(/private \(10\.0\.0\.0\/8\), which .* is too wide to open/);
  });

  it.each([
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fe80::1',
    '169.254.7.7',
    '224.0.0.1',
    'ff02::1',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '255.255.255.255',
    '2001:0:7f00:1::',
    '::7f00:1',
    '64:ff9b:1::a00:1',
  ])('denies %s unless an entry names exactly it', async (address) => {
    const wide = policyOf({
      yaml: scope([
        '0.0.0.0/0',
        '::/0',
        '169.254.0.0/16',
        '100.64.0.0/10',
        '192.0.0.0/24',
        'fc00::/7',
        'fe80::/10',
        '224.0.0.0/4',
        'ff00::/8',
        '0.0.0.0/8',
        '240.0.0.0/4',
        '168.63.129.0/24',
        '2001::/23',
        '::/96',
        '64:ff9b:1::/48',
      ]),
    });
    const decision = await wide.one(address);
    expect(decision).toMatchObject({ allowed: false, rule: expect.stringMatching(/^always denied/) });
    expect(decision.fix).toContain(`named exactly. Operator: scanmux policy allow ${decision.target.text}.`);
    const exact = policyOf({ yaml: scope([address]) });
    expect(await exact.one(address)).toMatchObject({ allowed: true });
    expect(await exact.one(`http://${address.includes(':') ? `[${address}]` : address}/`)).toMatchObject({
      allowed: true,
    });
  });

  it('refuses a network that holds a metadata address, and takes it when that is an entry too', async () => {
    const open = policyOf({ yaml: scope(['100.100.100.0/24']) });
    expect(await open.one('100.100.100.0/24')).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('contains 100.100.100.200'),
    });
    const named = policyOf({ yaml: scope(['100.100.100.0/24', '100.100.100.200']) });
    expect(await named.one('100.100.100.0/24')).toMatchObject({ allowed: true });
  });

  it('judges NAT64 and 6to4 by the IPv4 address inside', async () => {
    const { one } = policyOf({ yaml: scope(['64:ff9b::/96', '2002::/16', '8.8.8.0/24'], ['8.8.8.8']) });
    expect(await one('64:ff9b::808:801')).toMatchObject({ allowed: true });
    expect(await one('64:ff9b::808:808')).toMatchObject({ allowed: false, rule: 'deny 8.8.8.8' });
    expect(await one('64:ff9b::a00:1')).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('carries 10.0.0.1'),
    });
    expect(await one('64:ff9b::7f00:1')).toMatchObject({ allowed: false });
    expect(await one('2002:a9fe:a9fe::1')).toMatchObject({ allowed: false, rule: 'always denied: metadata' });
    expect(await one('64:ff9b::808:800/126')).toMatchObject({ allowed: true });
    expect(await one('64:ff9b::808:800/120')).toMatchObject({ allowed: false });
  });

  it.each(['64:ff9b::a00:1', '2002:a00:1::', '::a00:1', '2001:0:a00:1::', '2001:0:808:808:0:0:f5ff:fffe'])(
    'lets a deny of 10.0.0.1 win over %s, which carries it, even when that is named exactly',
    async (carrier) => {
      expect(await policyOf({ yaml: scope([carrier]) }).one(carrier)).toMatchObject({ allowed: true });
      const { one } = policyOf({ yaml: scope([carrier], ['10.0.0.1']) });
      expect(await one(carrier)).toMatchObject({ allowed: false, rule: 'deny 10.0.0.1' });
    },
  );

  it("denies the scanner's own control addresses, but not loopback for their sake", async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/24', 'localhost']), own: ['10.1.0.5', '127.0.0.1'] });
    expect(await one('10.1.0.5')).toMatchObject({ allowed: false, rule: expect.stringContaining('control address') });
    expect(await one('127.0.0.1')).toMatchObject({ allowed: true });
  });
});

describe('max_hosts', () => {
  it('refuses a /8 and a /64 without writing out an address', async () => {
    const { ask, lookups } = policyOf({
      yaml: scope(['10.0.0.0/8', '2001:db8::/32', 'a.example'], [], 256),
      names: { 'a.example': ['8.8.8.8'] },
    });
    const answer = await ask(['10.0.0.0/8', '2001:db8::/64', 'a.example']);
    expect(answer).toMatchObject({
      allowed: false,
      refusal: { reason: expect.stringMatching(/addresses; one scan may cover 256 \(max_hosts\)/) },
    });
    expect(answer.targets.every(({ pinned, allowed }) => pinned === undefined && !allowed)).toBe(true);
    expect(lookups).toEqual([]);
  });

  it('counts the whole request', async () => {
    const { ask } = policyOf({ yaml: scope(['10.0.0.0/8'], [], 8) });
    expect(await ask(['10.0.0.0/30', '10.0.1.0/30'])).toMatchObject({ allowed: true, hosts: 8 });
    expect(await ask(['10.0.0.0/30', '10.0.1.0/30', '10.0.2.1'])).toMatchObject({ allowed: false, hosts: 9 });
  });

  it('counts a name as all the addresses it resolves to', async () => {
    const names = { 'a.example': ['10.0.0.1', '10.0.0.2', '10.0.0.3'], 'b.example': ['10.0.0.4'] };
    const yaml = scope(['a.example', 'b.example', '10.1.0.0/24'], [], 4);
    const { ask } = policyOf({ yaml, names });
    expect(await ask(['a.example', 'b.example'])).toMatchObject({ allowed: true, hosts: 4 });
    const answer = await ask(['a.example', 'b.example', '10.1.0.1']);
    expect(answer).toMatchObject({
      allowed: false,
      hosts: 5,
      refusal: { reason: 'The request covers 5 addresses; one scan may cover 4 (max_hosts).' },
    });
    expect(answer.targets.every(({ pinned, allowed, rule }) => !pinned && !allowed && rule === 'max_hosts')).toBe(true);
    const shown = answer.targets.map(({ resolved }) => resolved);
    expect(shown).toEqual([names['a.example'], names['b.example'], ['10.1.0.1']]);
  });

  it('keeps the reason of a target that is out of scope when the names of others make too many', async () => {
    const names = { 'a.example': ['10.0.0.1', '10.0.0.2'] };
    const answer = await policyOf({ yaml: scope(['a.example'], [], 2), names }).ask(['a.example', '10.9.9.9']);
    expect(answer).toMatchObject({ allowed: false, hosts: 3 });
    expect(answer.targets.map(({ rule }) => rule)).toEqual(['max_hosts', 'default deny']);
  });

  it('pins every address of an allowed network in order', async () => {
    const { one } = policyOf({ yaml: scope(['10.0.0.0/30']) });
    expect((await one('10.0.0.0/30')).pinned?.addresses).toEqual(['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });
});

describe('names', () => {
  it('matches suffixes label by label', async () => {
    const names = Object.fromEntries(
      ['a.example.com', 'a.b.example.com', 'example.com', 'badexample.com', 'a.example.com.evil.org'].map((name) => [
        name,
        ['8.8.8.8'],
      ]),
    );
    const { one } = policyOf({ yaml: scope(['*.example.com']), names });
    expect(await one('a.example.com')).toMatchObject({ allowed: true, rule: 'allow *.example.com' });
    expect(await one('A.B.Example.com')).toMatchObject({ allowed: true });
    for (const text of ['example.com', 'badexample.com', 'a.example.com.evil.org']) {
      expect(await one(text), text).toMatchObject({ allowed: false });
    }
  });

  it('takes a private address behind a name the operator named, and pins all answers', async () => {
    const { one } = policyOf({ yaml: scope(['db.corp']), names: { 'db.corp': ['10.0.0.5', '10.0.0.6', '10.0.0.5'] } });
    expect((await one('db.corp')).pinned?.addresses).toEqual(['10.0.0.5', '10.0.0.6']);
    expect(await one('10.0.0.5')).toMatchObject({ allowed: false });
  });

  it.each([
    '127.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '168.63.129.16',
    'fe80::1%lo',
    '0177.0.0.1',
  ])('never lets a name lead to %s', async (address) => {
    const { one } = policyOf({
      yaml: scope(['evil.example', 'localhost', '127.0.0.0/8', '::1', '169.254.169.254']),
      names: { 'evil.example': ['8.8.8.8', address], 'other.example': [address] },
    });
    expect(await one('evil.example')).toMatchObject({ allowed: false });
    expect(await one('http://evil.example/')).toMatchObject({ allowed: false });
    expect(await one('other.example')).toMatchObject({ allowed: false });
  });

  it('refuses a name when one of its answers is out of scope, and says which', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/24']), names: { 'app.corp': ['10.1.0.5', '10.2.0.5'] } });
    expect((await one('app.corp')).reason).toBe(
      'app.corp resolves to 10.2.0.5, which is outside the scope (default deny).',
    );
  });

  it('takes a name nobody named when all its answers are in scope', async () => {
    const { one } = policyOf({ yaml: scope(['10.1.0.0/24']), names: { 'app.corp': ['10.1.0.5'] } });
    expect(await one('https://app.corp/x')).toMatchObject({
      allowed: true,
      rule: 'allow 10.1.0.0/24',
      resolved: ['10.1.0.5'],
    });
  });

  it('refuses an allowed name whose address is denied', async () => {
    const { one } = policyOf({ yaml: scope(['*.corp'], ['10.1.0.5']), names: { 'app.corp': ['10.1.0.5'] } });
    expect(await one('app.corp')).toMatchObject({ allowed: false, rule: 'deny 10.1.0.5' });
  });

  it('denies a name by host and by suffix without asking for its address', async () => {
    const { one, lookups } = policyOf({ yaml: scope(['*.corp'], ['pay.corp', '*.hr.corp']) });
    expect(await one('pay.corp:443')).toMatchObject({ allowed: false, rule: 'deny pay.corp' });
    expect(await one('https://a.hr.corp/')).toMatchObject({ allowed: false, rule: 'deny *.hr.corp' });
    expect(lookups).toEqual([]);
  });

  it('asks no resolver about names no entry could cover', async () => {
    const { one, lookups } = policyOf({ yaml: scope(['app.corp', 'localhost']) });
    expect(await one('secret-in-a-label.evil.example')).toMatchObject({
      allowed: false,
      fix: 'Operator: scanmux policy allow secret-in-a-label.evil.example.',
    });
    expect(lookups).toEqual([]);
  });

  it('denies metadata names and .internal names that only an address range could cover', async () => {
    const { one, lookups } = policyOf({
      yaml: scope(['0.0.0.0/0', '*.internal', '10.0.0.0/8']),
      names: { 'app.internal': ['10.0.0.1'] },
    });
    expect(await one('metadata.google.internal')).toMatchObject({ allowed: false, rule: 'always denied: metadata' });
    expect(await one('http://instance-data/latest')).toMatchObject({ allowed: false, rule: 'always denied: metadata' });
    expect(lookups).toEqual([]);
    expect(await one('app.internal')).toMatchObject({ allowed: true });
    const ranges = policyOf({ yaml: scope(['10.0.0.0/8']), names: { 'app.internal': ['10.0.0.1'] } });
    expect(await ranges.one('app.internal')).toMatchObject({ allowed: false });
  });

  it('says that a name has no address, and tells it from a denial', async () => {
    const { one } = policyOf({ yaml: scope(['*.corp']) });
    expect(await one('gone.corp')).toMatchObject({
      allowed: false,
      unresolvable: true,
      reason: 'gone.corp has no address.',
    });
    expect((await one('gone.example')).unresolvable).toBeUndefined();
  });

  it('looks a name up once per request', async () => {
    const { ask, lookups } = policyOf({ yaml: scope(['a.corp']), names: { 'a.corp': ['10.0.0.1'] } });
    await ask(['a.corp', 'a.corp:80', 'https://a.corp/']);
    expect(lookups).toEqual(['a.corp']);
  });

  it('refuses a name with more answers than can be checked', async () => {
    const many = Array.from({ length: 65 }, (_, index) => `8.8.8.${index}`);
    const { one } = policyOf({ yaml: scope(['a.corp']), names: { 'a.corp': many } });
    expect(await one('a.corp')).toMatchObject({ allowed: false, reason: 'a.corp has more than 64 addresses.' });
  });

  it('sets IPv6 answers aside on a machine without IPv6, unless they are all there is', async () => {
    const { one } = policyOf({
      yaml: scope(['*.example']),
      names: {
        'both.example': ['2606:4700::1', '8.8.8.8'],
        'six.example': ['2606:4700::1'],
        'bad.example': ['8.8.8.8', 'fe80::1'],
      },
      ipv6: { loopback: false, global: false },
    });
    expect(await one('both.example')).toMatchObject({ pinned: { addresses: ['8.8.8.8'] }, skipped: ['2606:4700::1'] });
    expect((await one('six.example')).pinned?.addresses).toEqual(['2606:4700::1']);
    expect(await one('bad.example')).toMatchObject({ allowed: false });
  });

  it('ends with the reason of the caller when the caller gives up', async () => {
    const { policy } = policyOf({ yaml: scope(['a.corp']) });
    const ended = new AbortController();
    ended.abort(new Error('client left'));
    await expect(policy.check([parseTarget('a.corp')], { intensity: 'light', caller }, ended.signal)).rejects.toThrow(
      'client left',
    );
  });
});

describe('localhost', () => {
  it('is both loopback addresses, or one where the machine has no ::1', async () => {
    expect((await policyOf({}).one('localhost')).pinned?.addresses).toEqual(['127.0.0.1', '::1']);
    const ipv4Only = policyOf({ ipv6: { loopback: false, global: false } });
    expect((await ipv4Only.one('localhost')).pinned?.addresses).toEqual(['127.0.0.1']);
  });

  it('keeps ::1 on a machine whose only IPv6 is loopback', async () => {
    const { one } = policyOf({ ipv6: { loopback: true, global: false } });
    expect((await one('localhost')).pinned?.addresses).toEqual(['127.0.0.1', '::1']);
  });

  it('is opened by its own entry, and refused when an entry leaves out one of its addresses', async () => {
    expect(await policyOf({ yaml: scope(['localhost']) }).one('127.0.0.5')).toMatchObject({ allowed: true });
    expect(await policyOf({ yaml: scope(['127.0.0.0/8']) }).one('localhost')).toMatchObject({
      allowed: false,
      reason: 'localhost resolves to ::1, which is outside the scope (default deny).',
      fix: 'Operator: scanmux policy allow localhost.',
    });
  });

  it('is closed by a deny entry whatever is allowed', async () => {
    const { one } = policyOf({ yaml: scope(['localhost', '127.0.0.1'], ['localhost']) });
    expect(await one('localhost')).toMatchObject({ allowed: false });
    expect(await one('127.0.0.1')).toMatchObject({ allowed: false });
    expect(await one('http://[::1]/')).toMatchObject({ allowed: false });
  });
});

describe('URL entries', () => {
  const setup = {
    yaml: scope(['https://app.example/shop', 'http://10.0.0.5:8080/', 'http://localhost:3000']),
    names: { 'app.example': ['8.8.8.8'] },
  };

  it('allow their origin and path, on segment borders', async () => {
    const { one } = policyOf(setup);
    for (const text of [
      'https://app.example/shop',
      'https://app.example/shop/',
      'https://app.example:443/shop/cart?x=1',
      'http://10.0.0.5:8080/any',
      'http://localhost:3000/x',
    ]) {
      expect(await one(text), text).toMatchObject({ allowed: true });
    }
    for (const text of [
      'https://app.example/',
      'https://app.example/shopping',
      'http://app.example/shop',
      'https://app.example:8443/shop',
      'https://app.example/shop/../admin',
      'https://app.example/shop/%2e%2e/admin',
      'https://app.example/shop/..%2fadmin',
      'https://app.example/shop/..;/admin',
      'https://app.example/shop/%252e%252e/admin',
      'http://10.0.0.5/',
      'http://localhost:3001/',
    ]) {
      expect(await one(text), text).toMatchObject({ allowed: false });
    }
  });

  it('allow nothing for the host or address itself', async () => {
    const { one } = policyOf(setup);
    for (const text of ['app.example', 'app.example:443', '10.0.0.5', '10.0.0.5:8080', 'localhost:3000', '127.0.0.1']) {
      expect(await one(text), text).toMatchObject({ allowed: false });
    }
  });

  it('deny what lies below, what lies above, and the host, in any encoding', async () => {
    const { one } = policyOf({
      yaml: scope(['app.example'], ['https://app.example/admin']),
      names: { 'app.example': ['8.8.8.8'] },
    });
    for (const text of [
      'https://app.example/admin',
      'https://app.example/admin/x',
      'https://app.example/',
      'https://app.example/%61dmin',
      'https://app.example//ADMIN/',
      'https://app.example/x%2f..%2fadmin',
      'app.example',
      'app.example:443',
    ]) {
      expect(await one(text), text).toMatchObject({ allowed: false, rule: 'deny https://app.example/admin' });
    }
    expect(await one('https://app.example/shop')).toMatchObject({ allowed: true });
    expect(await one('https://app.example/administrator')).toMatchObject({ allowed: true });
    expect(await one('app.example:80')).toMatchObject({ allowed: true });
  });
});

describe('entries', () => {
  const yaml = `
allow:
  - target: 10.1.0.0/24
    note: lab, OPS-17
    max_intensity: intrusive
    expires: 2026-06-30
  - 10.2.0.1
  - { target: 10.3.0.0/24, max_intensity: light }
`;

  it('hold through their last day in UTC, and say afterwards that they have expired', async () => {
    const { one, setNow, policy } = policyOf({ yaml });
    setNow('2026-06-30T23:59:59Z');
    expect(await one('10.1.0.1')).toMatchObject({ allowed: true });
    setNow('2026-07-01T00:00:00Z');
    expect(await one('10.1.0.1')).toMatchObject({ allowed: false, rule: 'expired: allow 10.1.0.0/24' });
    expect(policy.describe('every tenant').allow).toContain('10.1.0.0/24 (expired 2026-06-30)');
  });

  it('carry their own intensity, above or below the one of the file', async () => {
    const { one } = policyOf({ yaml });
    expect(await one('10.1.0.1', 'intrusive')).toMatchObject({ allowed: true });
    expect(await one('10.2.0.1', 'intrusive')).toMatchObject({
      allowed: false,
      rule: expect.stringContaining('max_intensity'),
    });
    expect(await one('10.3.0.1', 'standard')).toMatchObject({ allowed: false });
    expect(await one('10.3.0.1', 'light')).toMatchObject({ allowed: true });
  });

  it('let the weakest address of a name decide how hard it may be scanned', async () => {
    const { one } = policyOf({ yaml, names: { 'two.corp': ['10.1.0.1', '10.3.0.1'] } });
    expect(await one('two.corp', 'standard')).toMatchObject({ allowed: false });
    expect(await one('two.corp', 'light')).toMatchObject({ allowed: true });
  });
});

describe('the policy file', () => {
  it.each([
    ['allow: [10.0.0.0/33]', /allow\[0\]\.target.*0 to 32/s],
    ['alow: []', /alow/],
    ['max_hosts: many\nmax_intensity: hard', /max_hosts.*max_intensity/s],
    ['allow:\n  - target: 10.0.0.1\n    expire: 2027-01-01', /expire/],
    ['allow:\n  - target: 10.0.0.1\n    expires: 2027-02-30', /date/],
    ['allow:\n  - *.example.com', /alias|quotes/],
    ['allow: [app.example:443]', /no port/],
    ['allow: ["*.10.0.0.1"]', /number|unusual|domain/],
    ['allow: ["https://a.example/?x"]', /query/],
    ['deny:\n  - target: 10.0.0.1\n    expires: 2027-01-01', /expires/],
    ['allow: {', /policy\.yaml/],
    ['- 10.0.0.1', /policy\.yaml/],
  ])('allows nothing when it reads %j, and says why', async (text, why) => {
    const { one, policy } = policyOf({ yaml: text });
    expect(await one('127.0.0.1')).toMatchObject({
      allowed: false,
      rule: 'broken policy file',
      fix: expect.stringContaining('scanmux doctor'),
    });
    expect(policy.describe('every tenant').lastError).toMatch(why);
  });

  it('may be empty, which allows nothing', async () => {
    const { one, policy } = policyOf({ yaml: '# nothing yet\nallow:\n' });
    expect(await one('127.0.0.1')).toMatchObject({ allowed: false, rule: 'default deny' });
    expect(policy.describe('every tenant').lastError).toBeUndefined();
  });

  it('is read again when it changes, closed while it is broken, and open again when it is mended', async () => {
    const { one, file } = policyOf({ yaml: scope(['10.0.0.1']) });
    expect(await one('10.0.0.1')).toMatchObject({ allowed: true });
    writeFileSync(file, scope(['10.0.0.2']));
    expect(await one('10.0.0.1')).toMatchObject({ allowed: false });
    expect(await one('10.0.0.2')).toMatchObject({ allowed: true });
    writeFileSync(file, 'allow: [');
    expect(await one('10.0.0.2')).toMatchObject({ allowed: false, rule: 'broken policy file' });
    writeFileSync(file, scope(['10.0.0.2']));
    expect(await one('10.0.0.2')).toMatchObject({ allowed: true });
    rmSync(file);
    expect(await one('10.0.0.2')).toMatchObject({ allowed: false });
    expect(await one('127.0.0.1')).toMatchObject({ allowed: true });
  });

  it('is read again when only its content differs, not its size or modification time', async () => {
    const { one, file } = policyOf({ yaml: scope(['10.0.0.1']) });
    const time = new Date('2026-01-01T00:00:00Z');
    utimesSync(file, time, time);
    expect(await one('10.0.0.1')).toMatchObject({ allowed: true });
    writeFileSync(file, scope(['10.0.0.2']));
    utimesSync(file, time, time);
    expect(await one('10.0.0.1')).toMatchObject({ allowed: false });
  });
});
