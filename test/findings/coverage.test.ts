import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../src/model/coverage.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import { address, END, found, host, placed, SCAN_ID, stored } from './reports.ts';

const counts = (requested: number, tested = 0, partial = 0, unreachable = 0) => ({
  requested,
  tested,
  partial,
  unreachable,
  not_tested: requested - tested - partial - unreachable,
});

const url = (text: string, name: string, ...addresses: string[]): PinnedTarget => ({
  target: { kind: 'url', text, scheme: 'https', host: name, isAddress: false, port: 443, path: '/' },
  addresses,
});

describe('coverage', () => {
  it('counts a requested place without a word as not tested', async () => {
    const { ingested, store, file } = await stored(
      [placed('10.0.0.1', 'tested'), END],
      [address('10.0.0.1'), address('10.0.0.2')],
    );
    expect(ingested.coverage).toMatchObject(counts(2, 1));
    expect(verdictOf(ingested.coverage, ingested.ended)).toBe('partial');
    expect(await store.untested(file, 10)).toEqual([
      { place: '10.0.0.2', status: 'not_tested', reason: 'The report says nothing about it.' },
    ]);
  });

  it('takes two ports of one host as one place', async () => {
    const targets: PinnedTarget[] = [80, 443].map((port) => ({
      target: { kind: 'host', text: `app.test:${port}`, host: 'app.test', port },
      addresses: ['10.0.0.1'],
    }));
    const { ingested } = await stored([placed('app.test', 'tested'), END], targets);
    expect(ingested.coverage).toMatchObject(counts(1, 1));
    const named = await stored([placed('app.test:80', 'tested'), placed('app.test:443', 'unreachable'), END], targets);
    expect(named.ingested.coverage).toMatchObject(counts(1, 0, 1));
  });

  it('knows a place by the text of its target', async () => {
    const targets: PinnedTarget[] = [
      { target: { kind: 'address', text: '[::1]:443', address: '::1', port: 443 }, addresses: ['::1'] },
      { target: { kind: 'address', text: '10.0.0.1:8080', address: '10.0.0.1', port: 8080 }, addresses: ['10.0.0.1'] },
    ];
    const { ingested } = await stored([placed('[::1]:443', 'tested'), placed('10.0.0.1:8080', 'tested'), END], targets);
    expect(ingested.coverage).toMatchObject(counts(2, 2));
  });

  it('maps the addresses of a host to its name and merges what is said of each', async () => {
    const targets = [host('localhost', '127.0.0.1', '::1')];
    const whole = await stored([placed('127.0.0.1', 'tested'), placed('0:0::1', 'tested'), END], targets);
    expect(whole.ingested.coverage).toMatchObject(counts(1, 1));
    const half = await stored(
      [placed('127.0.0.1', 'tested'), placed('::1', 'unreachable', 'No port answered.'), END],
      targets,
    );
    expect(half.ingested.coverage).toMatchObject(counts(1, 0, 1));
    expect(await half.store.untested(half.file, 5)).toEqual([
      { place: 'localhost', status: 'partial', reason: '::1: No port answered.' },
    ]);
  });

  it('does not call a host tested when one of its addresses was passed over in silence', async () => {
    const { ingested } = await stored([placed('127.0.0.1', 'tested'), END], [host('localhost', '127.0.0.1', '::1')]);
    expect(ingested.coverage).toMatchObject(counts(1, 0, 1));
  });

  it('cuts long reasons between characters', async () => {
    for (const padding of ['', '.']) {
      const reason = `${padding}${'😀'.repeat(149)}`;
      const words = ['10.0.0.1', '10.0.0.2'].map((place) => placed(place, 'unreachable', reason));
      const { store, file } = await stored([...words, END], [host('app.test', '10.0.0.1', '10.0.0.2')]);
      const [untested] = await store.untested(file, 1);
      expect(untested?.reason).toMatch(/^10\.0\.0\.1: \.?(😀)+…$/u);
    }
  });

  it('believes a word about the host itself', async () => {
    const { ingested } = await stored([placed('LOCALHOST.', 'tested'), END], [host('localhost', '127.0.0.1', '::1')]);
    expect(ingested.coverage).toMatchObject(counts(1, 1));
  });

  it('counts every address of a network once, also where targets overlap', async () => {
    const addresses = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'];
    const network: PinnedTarget = {
      target: { kind: 'network', text: '10.0.0.0/30', first: '10.0.0.0', last: '10.0.0.3', size: 4 },
      addresses,
    };
    const { ingested } = await stored([placed('10.0.0.2', 'tested'), END], [network, address('10.0.0.2')]);
    expect(ingested.coverage).toMatchObject(counts(4, 1));
  });

  it('takes a URL as a place of its own: a word about its host proves nothing about it', async () => {
    const target = url('https://app.test/', 'app.test', '10.0.0.1');
    const one = await stored([placed('https://app.test/', 'tested'), END], [target]);
    expect(one.ingested.coverage).toMatchObject(counts(1, 1));
    const other = await stored([placed('10.0.0.1', 'tested'), END], [target]);
    expect(other.ingested.coverage).toMatchObject(counts(1));
  });

  it('does not count places nobody asked for', async () => {
    const { ingested } = await stored([placed('10.9.9.9', 'tested'), END]);
    expect(ingested.coverage).toMatchObject(counts(1));
    expect(verdictOf(ingested.coverage, true)).toBe('not_tested');
  });

  it('names the host of a finding as it was asked for', async () => {
    const { store, file } = await stored(
      [found({ location: { ip: '::1', host: 'ip6-loopback', port: 443 } }), END],
      [host('localhost', '127.0.0.1', '::1')],
    );
    expect((await store.get(file, SCAN_ID, 1))?.location).toEqual({ ip: '::1', host: 'localhost', port: 443 });
  });

  it('calls a weakness on several addresses of one host one finding', async () => {
    const both = ['127.0.0.1', '::1'].map((ip) => found({ location: { ip, port: 443, protocol: 'tcp' } }));
    const { ingested } = await stored([...both, END], [host('localhost', '127.0.0.1', '::1')]);
    expect(ingested.findings).toBe(1);
    const apart = await stored([...both, END], [address('127.0.0.1'), address('::1')]);
    expect(apart.ingested.findings).toBe(2);
  });

  it('gathers kinds of check without repeats, sorted, cleaned and capped', async () => {
    const many = Array.from({ length: 150 }, (_, index) => `skipped ${String(index).padStart(3, '0')}`);
    const { ingested } = await stored([
      { kind: 'checks', lookedFor: ['tls', 'http'], notLookedFor: many },
      { kind: 'checks', lookedFor: ['http', 'a\u{1b}b'], notLookedFor: many },
    ]);
    expect(ingested.coverage.looked_for).toEqual(['a\\u{1b}b', 'http', 'tls']);
    expect(ingested.coverage.not_looked_for).toHaveLength(101);
    expect(ingested.coverage.not_looked_for.at(-1)).toBe('and 50 more');
  });

  it('keeps the coverage of 65,536 addresses', async () => {
    const addresses = Array.from({ length: 65_536 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const target: PinnedTarget = {
      target: { kind: 'network', text: '10.1.0.0/16', first: '10.1.0.0', last: '10.1.255.255', size: 65_536 },
      addresses,
    };
    const words = addresses.filter((_, index) => index % 2 === 0).map((place) => placed(place, 'tested'));
    const { ingested, store, file } = await stored([...words, END], [target]);
    expect(ingested.coverage).toMatchObject(counts(65_536, 32_768));
    expect(await store.untested(file, 3)).toHaveLength(3);
  });
});
