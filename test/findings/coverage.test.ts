import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../src/model/coverage.ts';
import type { LoginOutcome } from '../../src/model/coverage.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import { address, END, found, host, placed } from './reports.ts';
import { written } from './written.ts';
import type { Written } from './written.ts';

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

const untested = ({ places }: Pick<Written, 'places'>) =>
  places.filter(({ status }) => status !== 'tested').map(({ login: _login, ...place }) => place);

describe('coverage', () => {
  it('counts a requested place without a word as not tested', async () => {
    const all = await written([placed('10.0.0.1', 'tested'), END], [address('10.0.0.1'), address('10.0.0.2')]);
    expect(all.ingested.coverage).toMatchObject(counts(2, 1));
    expect(verdictOf(all.ingested.coverage, all.ingested.ended)).toBe('partial');
    expect(untested(all)).toEqual([
      { place: '10.0.0.2', status: 'not_tested', reason: 'The report says nothing about it.' },
    ]);
  });

  it('takes two ports of one host as one place', async () => {
    const targets: PinnedTarget[] = [80, 443].map((port) => ({
      target: { kind: 'host', text: `app.test:${port}`, host: 'app.test', port },
      addresses: ['10.0.0.1'],
    }));
    const { ingested } = await written([placed('app.test', 'tested'), END], targets);
    expect(ingested.coverage).toMatchObject(counts(1, 1));
    const named = await written([placed('app.test:80', 'tested'), placed('app.test:443', 'unreachable'), END], targets);
    expect(named.ingested.coverage).toMatchObject(counts(1, 0, 1));
  });

  it('knows a place by the text of its target', async () => {
    const targets: PinnedTarget[] = [
      { target: { kind: 'address', text: '[::1]:443', address: '::1', port: 443 }, addresses: ['::1'] },
      { target: { kind: 'address', text: '10.0.0.1:8080', address: '10.0.0.1', port: 8080 }, addresses: ['10.0.0.1'] },
    ];
    const { ingested } = await written(
      [placed('[::1]:443', 'tested'), placed('10.0.0.1:8080', 'tested'), END],
      targets,
    );
    expect(ingested.coverage).toMatchObject(counts(2, 2));
  });

  it('maps the addresses of a host to its name and merges what is said of each', async () => {
    const targets = [host('localhost', '127.0.0.1', '::1')];
    const whole = await written([placed('127.0.0.1', 'tested'), placed('0:0::1', 'tested'), END], targets);
    expect(whole.ingested.coverage).toMatchObject(counts(1, 1));
    const half = await written(
      [placed('127.0.0.1', 'tested'), placed('::1', 'unreachable', 'No port answered.'), END],
      targets,
    );
    expect(half.ingested.coverage).toMatchObject(counts(1, 0, 1));
    expect(untested(half)).toEqual([{ place: 'localhost', status: 'partial', reason: '::1: No port answered.' }]);
  });

  it('does not call a host tested when one of its addresses was passed over in silence', async () => {
    const { ingested } = await written([placed('127.0.0.1', 'tested'), END], [host('localhost', '127.0.0.1', '::1')]);
    expect(ingested.coverage).toMatchObject(counts(1, 0, 1));
  });

  it('cuts long reasons between characters', async () => {
    for (const padding of ['', '.']) {
      const reason = `${padding}${'😀'.repeat(149)}`;
      const words = ['10.0.0.1', '10.0.0.2'].map((place) => placed(place, 'unreachable', reason));
      const all = await written([...words, END], [host('app.test', '10.0.0.1', '10.0.0.2')]);
      expect(untested(all)[0]?.['reason']).toMatch(/^10\.0\.0\.1: \.?(😀)+…$/u);
    }
  });

  it('believes a word about the host itself', async () => {
    const { ingested } = await written([placed('LOCALHOST.', 'tested'), END], [host('localhost', '127.0.0.1', '::1')]);
    expect(ingested.coverage).toMatchObject(counts(1, 1));
  });

  it('counts every address of a network once, also where targets overlap', async () => {
    const addresses = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'];
    const network: PinnedTarget = {
      target: { kind: 'network', text: '10.0.0.0/30', first: '10.0.0.0', last: '10.0.0.3', size: 4 },
      addresses,
    };
    const { ingested } = await written([placed('10.0.0.2', 'tested'), END], [network, address('10.0.0.2')]);
    expect(ingested.coverage).toMatchObject(counts(4, 1));
  });

  it('takes a URL as a place of its own: a word about its host proves nothing about it', async () => {
    const target = url('https://app.test/', 'app.test', '10.0.0.1');
    const one = await written([placed('https://app.test/', 'tested'), END], [target]);
    expect(one.ingested.coverage).toMatchObject(counts(1, 1));
    const other = await written([placed('10.0.0.1', 'tested'), END], [target]);
    expect(other.ingested.coverage).toMatchObject(counts(1));
  });

  it('does not count places nobody asked for', async () => {
    const { ingested } = await written([placed('10.9.9.9', 'tested'), END]);
    expect(ingested.coverage).toMatchObject(counts(1));
    expect(verdictOf(ingested.coverage, true)).toBe('not_tested');
  });

  it('names the host of a finding as it was asked for', async () => {
    const { findings } = await written(
      [found({ location: { ip: '::1', host: 'ip6-loopback', port: 443 } }), END],
      [host('localhost', '127.0.0.1', '::1')],
    );
    expect(findings[0]?.body['location']).toEqual({ ip: '::1', host: 'localhost', port: 443 });
  });

  it('keeps a weakness on several addresses of one host as several findings under one name', async () => {
    const both = ['127.0.0.1', '::1'].map((ip) => found({ location: { ip, port: 443, protocol: 'tcp' } }));
    const { findings } = await written([...both, END], [host('localhost', '127.0.0.1', '::1')]);
    expect(findings.map(({ host: { name } }) => name)).toEqual(['localhost', 'localhost']);
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });

  it('keeps every place that was asked for, and how far a login came there', async () => {
    const login = (place: string, outcome: LoginOutcome): ReportEvent => ({
      kind: 'place',
      place: { place, status: 'tested', login: outcome },
    });
    const { places } = await written(
      [
        login('10.0.0.1', 'success'),
        login('10.0.0.2', 'failed'),
        login('10.0.0.2', 'success'),
        placed('10.0.0.3', 'tested'),
        login('10.0.0.4', 'success'),
        placed('10.0.0.5', 'tested'),
        login('10.0.0.6', 'failed'),
        placed('10.0.0.7', 'tested'),
      ],
      [
        ...['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(address),
        host('half.test', '10.0.0.4', '10.0.0.5'),
        host('no.test', '10.0.0.6', '10.0.0.7'),
      ],
    );
    expect(places.map(({ place, login: outcome }) => [place, outcome])).toEqual([
      ['10.0.0.1', 'success'],
      ['10.0.0.2', 'partial'],
      ['10.0.0.3', null],
      ['half.test', 'partial'],
      ['no.test', 'failed'],
    ]);
  });

  it('gathers kinds of check without repeats, sorted, cleaned and capped', async () => {
    const many = Array.from({ length: 150 }, (_, index) => `skipped ${String(index).padStart(3, '0')}`);
    const { ingested } = await written([
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
    const all = await written([...words, END], [target]);
    expect(all.places).toHaveLength(65_536);
    expect(all.ingested.coverage).toMatchObject(counts(65_536, 32_768));
    expect(untested(all)).toHaveLength(32_768);
  });
});

describe('coverage of a report made elsewhere', () => {
  it('counts the places the report speaks of', async () => {
    const { ingested, places } = await written(
      [placed('10.0.0.1', 'tested'), placed('APP.test.', 'unreachable', 'Dead.'), placed('0:0::1', 'tested'), END],
      'as_reported',
    );
    expect(ingested.coverage).toMatchObject(counts(3, 2, 0, 1));
    expect(places.map(({ place }) => place)).toEqual(['10.0.0.1', '::1', 'app.test']);
    expect(verdictOf(ingested.coverage, ingested.ended)).toBe('partial');
  });

  it('can be complete', async () => {
    const { ingested } = await written([placed('10.0.0.1', 'tested'), found(), END], 'as_reported');
    expect(ingested.coverage).toMatchObject(counts(1, 1));
    expect(verdictOf(ingested.coverage, ingested.ended)).toBe('complete');
  });

  it('takes a host that only findings speak of for looked at in part, once', async () => {
    const { ingested, places } = await written(
      [
        placed('10.0.0.1', 'tested'),
        placed('https://web.test:8443/a', 'tested'),
        placed('db.test', 'tested'),
        found(),
        found({ location: { ip: '10.0.0.2', port: 1 } }),
        found({ location: { ip: '10.0.0.2', port: 2 } }),
        found({ location: { url: 'https://web.test/b' } }),
        found({ location: { host: 'DB.test', ip: '10.0.0.3' } }),
        found({ location: { url: 'https://other.test/b' } }),
        END,
      ],
      'as_reported',
    );
    const [first] = places;
    expect(first?.['place']).toBe('10.0.0.1');
    expect(ingested.coverage).toMatchObject(counts(5, 3, 2));
    expect(untested({ places })).toEqual(
      ['10.0.0.2', 'other.test'].map((place) => ({
        place,
        status: 'partial',
        reason: 'Only its findings speak of it; the report does not say what else was looked at there.',
      })),
    );
  });

  it.each(['10.0.0.1:80', '[2001:db8::1]:443', 'APP.test:8080', 'http://[2001:db8::1]:8080/'])(
    'knows the host of the place %s',
    async (place) => {
      const locations = [{ ip: '10.0.0.1' }, { ip: '2001:db8::1' }, { host: 'app.test' }];
      const { ingested } = await written(
        [placed(place, 'tested'), ...locations.map((location) => found({ location })), END],
        'as_reported',
      );
      expect(ingested.coverage).toMatchObject(counts(3, 1, 2));
    },
  );

  it('makes no places of findings without a host', async () => {
    const locations = [{ file: 'a.ts' }, { image: 'nginx:1' }, { package: 'lodash' }, {}];
    const { ingested } = await written([...locations.map((location) => found({ location })), END], 'as_reported');
    expect(ingested.coverage).toMatchObject(counts(0));
    expect(verdictOf(ingested.coverage, ingested.ended)).toBe('not_tested');
  });

  it('keeps the names hosts have in the report', async () => {
    const { findings } = await written([found({ location: { ip: '::1', host: 'loop.test' } }), END], 'as_reported');
    expect(findings[0]?.body['location']).toEqual({ ip: '::1', host: 'loop.test' });
  });
});
