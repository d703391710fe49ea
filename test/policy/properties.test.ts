import fc from 'fast-check';
import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { Target } from '../../src/model/target.ts';
import {
  contains,
  formatAddress,
  formatRange,
  networkOf,
  overlap,
  parseNetwork,
  single,
  type Address,
  type AddressRange,
} from '../../src/policy/address.ts';
import { createDecider } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/policy-schema.ts';
import { underSuffix } from '../../src/policy/rules.ts';
import { addressesOf, parseTarget } from '../../src/policy/target.ts';

const ipv4 = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
  fc.constantFrom(0n, 1n, 0x7f000001n, 0x0a000001n, 0xa9fea9fen, 0xffff_ffffn),
);

const digit = (style: string, text: string): string => {
  const zero = { full: 0xff10, circled: 0x245f, bold: 0x1d7ce }[style] ?? 0x30;
  return text.replace(/\d/g, (figure) =>
    style === 'circled' && figure === '0' ? '⓪' : String.fromCodePoint(zero + Number(figure)),
  );
};

/** Every way to write an IPv4 address that some tool reads; the plain one is among them. */
function spellings(value: bigint): string[] {
  const address: Address = { family: 4, value };
  const plain = formatAddress(address);
  const octets = plain.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  const hex = value.toString(16).padStart(8, '0');
  const octal = (octet: number): string => `0${octet.toString(8)}`;
  const hosts = [
    plain,
    `${plain}.`,
    `${plain}..`,
    octets.map(octal).join('.'),
    octets.map((octet) => `0x${octet.toString(16)}`).join('.'),
    octets.map((octet) => String(octet).padStart(3, '0')).join('.'),
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${b * 65_536 + c * 256 + d}`,
    value.toString(),
    `0x${hex}`,
    `0X${hex.toUpperCase()}`,
    `0${value.toString(8)}`,
    (value + 0x1_0000_0000n).toString(),
    `${plain}.0`,
    digit('full', plain),
    digit('circled', plain),
    digit('bold', plain),
    plain.replaceAll('.', '。'),
    plain.replaceAll('.', '．'),
    plain.replaceAll('.', '｡'),
    plain.replace('.', '.\u200b'),
    `\ufeff${plain}`,
    `${plain}\u0000`,
    `${plain}\n`,
    `${plain}%0`,
    `%${plain.charCodeAt(0).toString(16)}${plain.slice(1)}`,
    `${a}.${b}.${c}.*`,
    `${a}.${b}.${c}.${d}-${d}`,
    `${a}.${b}.${c}.0-255`,
    `${plain}/32`,
    `${plain}/33`,
    `${plain}/0`,
    `${plain}/31`,
    `${plain}-${plain}`,
    `${plain},${plain}`,
    `-${plain}`,
    `${plain}:80`,
    `x@${plain}`,
  ];
  const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`;
  const ipv6 = [
    `::ffff:${plain}`,
    `::ffff:${groups}`,
    `0:0:0:0:0:FFFF:${groups}`,
    // ::0.0.0.1 is the loopback address of IPv6, not a spelling of 0.0.0.1.
    ...(value === 1n ? [] : [`::${plain}`]),
    `64:ff9b::${plain}`,
    `64:ff9b::${groups}`,
    `2002:${groups}::`,
    `2002:${groups}::1`,
    `64:ff9b:1::${groups}`,
    `2001:0:${groups}::`,
    `::ffff:${plain}%lo`,
  ];
  return [
    ...hosts,
    ...ipv6,
    ...ipv6.flatMap((text) => [`[${text}]:80`, `http://[${text}]/`, `${text}/128`]),
    ...hosts.flatMap((host) => [
      `http://${host}/`,
      `https://${host}:8443/x`,
      `HTTP://user@${host}/`,
      `http://example.com@${host}/`,
      `http:\\\\${host}\\`,
    ]),
  ];
}

function parsed(text: string): Target | undefined {
  try {
    return parseTarget(text);
  } catch (error) {
    if (error instanceof AppError && error.code === 'target_invalid') return undefined;
    throw error;
  }
}

const everything = [
  '0.0.0.0/0',
  '::/0',
  '64:ff9b::/96',
  '2002::/16',
  '2001::/23',
  '::/96',
  '10.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.168.0.0/16',
  '240.0.0.0/4',
  '*.com',
  'localhost',
];

describe('a denied address', () => {
  it('is allowed in no spelling, however wide the allow entries are', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        const plain = formatAddress({ family: 4, value });
        const rules = {
          ...parsePolicy(JSON.stringify({ allow: everything, deny: [plain], max_hosts: 1_000_000 })),
          own: [],
          tenant: 'local',
        };
        const decider = createDecider(rules, 0);
        for (const text of spellings(value)) {
          const target = parsed(text);
          if (!target) continue;
          const verdict = decider.beforeLookup(target);
          // A spelling that became a host name is decided by the addresses it resolves to.
          const settled = verdict === 'resolve' ? decider.afterLookup(target, [plain]) : verdict;
          expect(settled.allowed, text).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is recognised in its plain forms, so that the property above is about something', () => {
    const accepted = spellings(0x0a000001n).filter((text) => parsed(text));
    expect(accepted).toEqual(
      expect.arrayContaining([
        '10.0.0.1',
        '10.0.0.1:80',
        'http://10.0.0.1/',
        '::ffff:10.0.0.1',
        '[::ffff:0a00:0001]:80',
        '10.0.0.1/31',
      ]),
    );
  });

  it('never reaches an engine under a text the URL standard or net.isIP reads as another host', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        for (const text of spellings(value)) {
          const target = parsed(text);
          if (!target || target.kind === 'network') continue;
          const host = target.kind === 'address' ? target.address : target.host;
          const inUrl = host.includes(':') ? `[${host}]` : host;
          expect(new URL(`http://${inUrl}/`).hostname, text).toBe(inUrl);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('always-denied addresses', () => {
  it('are reached through no entry but their own', () => {
    const rules = {
      ...parsePolicy(JSON.stringify({ allow: everything, max_hosts: 1_000_000 })),
      own: [],
      tenant: 'local',
    };
    const decider = createDecider(rules, 0);
    for (const value of [0xa9fea9fen, 0xe0000001n, 0n, 0xffff_ffffn, 0xa83f8110n, 0x646464c8n]) {
      for (const text of spellings(value)) {
        const target = parsed(text);
        const verdict = target && decider.beforeLookup(target);
        if (!target || !verdict) continue;
        const settled =
          verdict === 'resolve' ? decider.afterLookup(target, [formatAddress({ family: 4, value })]) : verdict;
        expect(settled.allowed, text).toBe(false);
      }
    }
  });
});

describe('networks', () => {
  const bits = fc.integer({ min: 0, max: 32 });
  const network = fc
    .tuple(ipv4, bits)
    .map(([value, prefix]) => ({ prefix, range: networkOf({ family: 4, value }, prefix) }));
  const binary = (value: bigint): string => value.toString(2).padStart(32, '0');

  it('contain what shares their leading bits, as a comparison of bit strings says', () => {
    fc.assert(
      fc.property(network, network, ipv4, (outer, inner, value) => {
        const startsAlike = (text: string): boolean =>
          text.startsWith(binary(outer.range.first).slice(0, outer.prefix));
        expect(contains(outer.range, single({ family: 4, value }))).toBe(startsAlike(binary(value)));
        expect(contains(outer.range, inner.range)).toBe(
          inner.prefix >= outer.prefix && startsAlike(binary(inner.range.first)),
        );
        expect(overlap(outer.range, inner.range) !== undefined).toBe(
          contains(outer.range, inner.range) || contains(inner.range, outer.range),
        );
      }),
    );
  });

  it('contain what BlockList says when it is told the family', () => {
    fc.assert(
      fc.property(network, ipv4, ({ range, prefix }, value) => {
        const list = new BlockList();
        list.addSubnet(formatAddress({ family: 4, value: range.first }), prefix, 'ipv4');
        expect(contains(range, single({ family: 4, value }))).toBe(
          list.check(formatAddress({ family: 4, value }), 'ipv4'),
        );
      }),
    );
  });

  it('keep their canonical text when it is read again', () => {
    fc.assert(
      fc.property(network, ({ range, prefix }) => {
        const text = formatRange(range);
        expect(prefix === 32 ? parseTarget(text).kind : parseNetwork(text)).toEqual(prefix === 32 ? 'address' : range);
      }),
    );
  });

  it('are allowed only if each of their addresses would be', () => {
    const small = fc
      .tuple(fc.bigInt({ min: 0x0a00_0000n, max: 0x0a00_00ffn }), fc.integer({ min: 27, max: 32 }))
      .map(([value, prefix]) => formatRange(networkOf({ family: 4, value }, prefix)));
    fc.assert(
      fc.property(small, fc.array(small, { maxLength: 3 }), fc.array(small, { maxLength: 2 }), (asked, allow, deny) => {
        const decider = createDecider({ ...parsePolicy(JSON.stringify({ allow, deny })), own: [], tenant: 'local' }, 0);
        const target = parseTarget(asked);
        const whole = decider.beforeLookup(target);
        if (whole === 'resolve' || !whole.allowed) return;
        for (const address of addressesOf(target)) {
          expect(decider.beforeLookup(parseTarget(address)), address).toMatchObject({ allowed: true });
        }
      }),
    );
  });
});

describe('suffixes', () => {
  const label = fc.constantFrom('a', 'b', 'example', 'bad', 'com', 'examplecom');
  const name = fc.array(label, { minLength: 1, maxLength: 4 });

  it('match as a comparison of whole labels from the right says', () => {
    fc.assert(
      fc.property(name, name, (host, suffix) => {
        const expected = host.length > suffix.length && host.slice(-suffix.length).join('.') === suffix.join('.');
        expect(underSuffix(host.join('.'), suffix.join('.'))).toBe(expected);
      }),
    );
  });
});

it('an IPv6 rule for mapped addresses would make BlockList match all of IPv4, which is why none is ever built', () => {
  const list = new BlockList();
  list.addSubnet('::ffff:0:0', 96, 'ipv6');
  expect(list.check('8.8.8.8', 'ipv4')).toBe(true);
  const mapped: AddressRange | undefined = parseNetwork('::ffff:0:0/96');
  expect(mapped && formatRange(mapped)).toBe('0.0.0.0/0');
});
