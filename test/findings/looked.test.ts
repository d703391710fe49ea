import { verdictOf } from '../../src/model/coverage.ts';
import { describe, expect, it } from 'vitest';
import type { ReportEvent, ReportScope } from '../../src/model/report.ts';
import { address, END, found, host, placed, stored } from './reports.ts';

const scoped = (scope: ReportScope): ReportEvent => ({ kind: 'scope', scope });

describe('what a file proves was looked at', () => {
  it('comes back as the report said it', async () => {
    const scopes: ReportScope[] = [
      { tcpPorts: '1-1024,8080', families: ['tls', 'http'] },
      { place: '10.0.0.1', udpPorts: 'all', families: ['*'], rules: ['a'], rulesNotRun: ['b'] },
    ];
    const { store, file } = await stored(
      [placed('10.0.0.1', 'tested'), placed('10.0.0.2', 'unreachable', 'No answer.'), ...scopes.map(scoped), END],
      [address('10.0.0.1'), address('10.0.0.2'), address('10.0.0.3')],
    );
    const { engine, places, scopes: found_ } = await store.looked(file);
    expect(engine).toBe('baseline');
    expect(found_).toEqual(scopes);
    expect(places).toEqual([
      { place: '10.0.0.1', status: 'tested' },
      { place: '10.0.0.2', status: 'unreachable', reason: 'No answer.' },
      { place: '10.0.0.3', status: 'not_tested', reason: expect.any(String) },
    ]);
  });

  it('counts a place where a login did not work as looked at in part, and says why', async () => {
    const login: ReportEvent = { kind: 'place', place: { place: '10.0.0.1', status: 'tested', login: 'failed' } };
    const { store, file, ingested } = await stored([login, END]);
    expect(ingested.coverage).toMatchObject({ tested: 0, partial: 1 });
    expect(verdictOf(ingested.coverage, true)).toBe('partial');
    expect(await store.untested(file, 10)).toEqual([
      {
        place: '10.0.0.1',
        status: 'partial',
        reason: 'a login was tried and did not work: only what can be seen without one was looked at',
        login: 'failed',
      },
    ]);
  });

  it('says of each login that worked in part or not at all what the report says of it', async () => {
    const at = (place: string, login: 'partial' | 'failed' | 'success', reason?: string): ReportEvent => ({
      kind: 'place',
      place: { place, status: 'tested', login, ...(reason === undefined ? {} : { reason }) },
    });
    const { store, file } = await stored(
      [
        at('10.0.0.1', 'partial', 'no administrator'),
        at('10.0.0.2', 'partial'),
        at('10.0.0.3', 'failed', 'refused'),
        END,
      ],
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(address),
    );
    expect((await store.untested(file, 10)).map(({ reason }) => reason)).toEqual([
      'no administrator',
      'a login worked in part: not everything behind it was looked at',
      'refused',
    ]);
  });

  it('has the login of each place', async () => {
    const login: ReportEvent = { kind: 'place', place: { place: '10.0.0.1', status: 'tested', login: 'success' } };
    const { store, file } = await stored([login, END]);
    expect((await store.looked(file)).places).toEqual([{ place: '10.0.0.1', status: 'tested', login: 'success' }]);
  });

  it('names the first places that were not fully tested', async () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
    const { store, file } = await stored(
      [placed('10.0.0.2', 'tested'), placed('10.0.0.3', 'partial', 'Cut short.'), END],
      addresses.map(address),
    );
    const untested = await store.untested(file, 2);
    expect(untested.map(({ place, status }) => [place, status])).toEqual([
      ['10.0.0.1', 'not_tested'],
      ['10.0.0.3', 'partial'],
    ]);
  });
});

describe('hosts of a file', () => {
  it('are those of findings and places, each once, without files and images', async () => {
    const { store, file } = await stored(
      [
        found({ location: { ip: '10.0.0.1', port: 1 } }),
        found({ location: { ip: '10.0.0.1', port: 2 } }),
        found({ location: { host: 'App.test.', ip: '10.0.0.2' } }),
        found({ location: { url: 'https://[2001:DB8:0::1]:8443/x' } }),
        found({ location: { file: 'src/a.ts' } }),
        found({ location: { image: 'alpine:3' } }),
        found({ location: {} }),
        END,
      ],
      [address('10.0.0.1'), address('10.0.0.2'), host('app.test'), host('other.test', '10.9.9.9'), address('10.0.0.3')],
    );
    expect(await store.hosts(file)).toEqual([
      { address: '10.0.0.1' },
      { address: '2001:db8::1' },
      { name: 'app.test', address: '10.0.0.2' },
      { address: '10.0.0.3' },
      { name: 'other.test', maybeArtefact: true },
    ]);
  });

  it('of a report without any are none', async () => {
    const { store, file } = await stored([found({ location: { file: 'a.ts' } }), END], []);
    expect(await store.hosts(file)).toEqual([]);
  });

  it.each(['face::add', '8.8.8.8', '//code.example/a.c'])('are no files or images: %s', async (name) => {
    const { store, file } = await stored([found({ location: { file: name } }), placed(name, 'tested'), END], []);
    expect(await store.hosts(file)).toEqual([]);
  });

  it('are places as they are written, but for those with the name of a file', async () => {
    const { store, ref, folder } = await stored([END], []);
    const { artefact } = await store.ingest({
      scanId: ref.scanId,
      epoch: 2,
      engine: 'sarif',
      folder,
      targets: 'as_reported',
      events: (async function* () {
        yield found({ location: { file: '8.8.8.8' } });
        yield placed('8.8.8.8', 'tested');
        yield placed('9.9.9.9', 'tested');
      })(),
    });
    expect(await store.hosts(`${folder}/${artefact.path}`)).toEqual([{ address: '9.9.9.9' }]);
  });

  it.each<[string, object | undefined]>([
    ['https://app.test:8443/x', { name: 'app.test' }],
    ['http://[::1]:80/', { address: '::1' }],
    ['APP.test.', { name: 'app.test', maybeArtefact: true }],
    ['::ffff:10.0.0.9', { address: '10.0.0.9' }],
    ['src/a.ts', undefined],
    ['registry.test/image:3', undefined],
    ['fe80::1%eth0', { address: 'fe80::1' }],
    ['10.1.1.1%x', { address: '10.1.1.1' }],
    ['10.1.1.1:5000', { address: '10.1.1.1' }],
    ['tcp://10.1.1.1:80', { address: '10.1.1.1' }],
    ['//10.1.1.1/x', { address: '10.1.1.1' }],
    ['alpine:3.18', undefined],
    ['two words', undefined],
    ['a..b', undefined],
    ['http://', undefined],
  ])('of the place %s are %j', async (place, expected) => {
    const folderless = await stored([placed(place, 'tested'), END], []);
    const { store, folder } = folderless;
    const { artefact } = await store.ingest({
      scanId: folderless.ref.scanId,
      epoch: 2,
      engine: 'sarif',
      folder,
      targets: 'as_reported',
      events: (async function* () {
        yield placed(place, 'tested');
      })(),
    });
    expect(await store.hosts(`${folder}/${artefact.path}`)).toEqual(expected === undefined ? [] : [expected]);
  });
});
