import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/model/errors.ts';
import { newScanId, newTraceId } from '../../../src/model/ids.ts';
import type { PinnedTarget } from '../../../src/model/target.ts';
import { baselineType } from '../../../src/scanners/baseline/scanner.ts';
import type { EngineProgress, RawReport } from '../../../src/scanners/scanner.ts';
import { startWeakWeb } from '../../../src/simulators/weak-web.ts';
import { listen } from '../../contracts/hostile-servers.ts';
import { freePort } from '../../free-port.ts';
import { loopbackPort, parseAll, placesOf, runScanner, scanRequest } from '../../contracts/scanner-contract.ts';
import { look, namedPort, QUICK, urlTarget, type Look } from './look.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function weakWeb() {
  const web = await startWeakWeb();
  closers.push(() => web.close());
  return web;
}

async function silentService() {
  const service = await listen((socket) => socket.resume());
  closers.push(() => service.close());
  return service;
}

const network = (addresses: readonly string[]): PinnedTarget => ({
  target: { kind: 'network', text: '127.0.0.0/30', first: '127.0.0.0', last: '127.0.0.3', size: addresses.length },
  addresses,
});

/** A loopback address where no connection can be made: broadcast is none of TCP. */
const NO_ANSWER = '127.255.255.255';

const create = () => baselineType.create(baselineType.settings.parse(QUICK));

/** Runs with a report stream of the test's own. */
function runInto(
  report: Writable,
  targets: readonly PinnedTarget[],
  signal = new AbortController().signal,
): Promise<RawReport> {
  return create().run(
    { scanId: newScanId(), traceId: newTraceId(), epoch: 1, request: scanRequest(targets), targets },
    { signal, report, previous: undefined, checkpoint: () => Promise.resolve(), progress: () => undefined },
  );
}

describe('a run of the baseline engine', () => {
  it('names every address of a network as a place of its own', async () => {
    const port = await freePort();
    const { places } = await look([network(['127.0.0.1', '127.0.0.2'])], { ports: String(port) });
    expect(places.toSorted((a, b) => a.place.localeCompare(b.place))).toEqual([
      { place: '127.0.0.1', status: 'tested' },
      { place: '127.0.0.2', status: 'tested' },
    ]);
  });

  it('gives up on a silent address of a network early, says so, and claims no port it did not ask', async () => {
    const { places, lookedFor } = await look([network([NO_ANSWER])], { intensity: 'light' });
    expect(places).toEqual([
      {
        place: NO_ANSWER,
        status: 'unreachable',
        reason: expect.stringMatching(
          /^not reachable \(E\w+\) on the first 12 of 20 ports; the others were not asked$/,
        ),
      },
    ]);
    expect(lookedFor).toEqual(['TCP reachability (12 ports)']);
  });

  it('asks every port the caller named, also of a silent address of a network', async () => {
    const { places, lookedFor } = await look([network([NO_ANSWER])], { ports: '1-30' });
    expect(places).toEqual([
      { place: NO_ANSWER, status: 'unreachable', reason: expect.stringMatching(/any of 30 ports$/) },
    ]);
    expect(lookedFor).toEqual(['TCP reachability (30 ports)']);
  });

  it('looks at all addresses of a name as one place', async () => {
    const web = await weakWeb();
    const { places, findings } = await look([namedPort('app.test', web.port, ['127.0.0.2', '127.0.0.1'])]);
    expect(places).toEqual([{ place: `app.test:${web.port}`, status: 'tested' }]);
    expect(new Set(findings.map(({ location }) => location.ip))).toEqual(new Set(['127.0.0.1']));
  });

  it('calls a name partial when one of its addresses gave no answer, as nmap does', async () => {
    const web = await weakWeb();
    const { places, outcome, rules } = await look([namedPort('app.test', web.port, ['127.0.0.1', NO_ANSWER])]);
    const reason = `no answer from ${NO_ANSWER}; other addresses of the name answered`;
    expect(places).toEqual([{ place: `app.test:${web.port}`, status: 'partial', reason }]);
    expect(outcome).toEqual({ whole: false, reason });
    expect(rules).toContain('http-service');
  });

  it('says which kinds of check had nothing to look at', async () => {
    const { lookedFor, notLookedFor } = await look([loopbackPort(await freePort())]);
    expect(lookedFor).toEqual(['TCP reachability (1 port)']);
    expect(notLookedFor).toContain('TLS versions and certificates: no TLS port was found');
  });

  it('says once what overlapping targets have in common, and what each name is asked for by itself', async () => {
    const web = await weakWeb();
    const port = loopbackPort(web.port);
    const alone = await look([port]);
    const url = urlTarget(`http://127.0.0.1:${web.port}/`);
    const both = await look([port, url]);
    const plain = ({ findings }: Look) =>
      findings
        .map(({ rule_id, location, discriminator }) => JSON.stringify([rule_id, location, discriminator]))
        .toSorted();
    expect(plain(both)).toEqual(plain(alone));
    expect(both.places).toHaveLength(2);

    const named = await look([port, namedPort('localhost', web.port)]);
    const openPorts = named.findings.filter(({ rule_id }) => rule_id === 'baseline:tcp-open');
    expect(openPorts).toHaveLength(1);
    const urls = named.findings
      .filter(({ rule_id }) => rule_id === 'baseline:http-service')
      .map(({ location }) => location.url);
    expect(urls).toHaveLength(2);
    expect(new Set(urls)).toEqual(new Set([`http://127.0.0.1:${web.port}/`, `http://localhost:${web.port}/`]));
  });

  it('proves what was looked for at a place that was looked at to its end, and at no other', async () => {
    const web = await weakWeb();
    const url = `http://127.0.0.1:${web.port}/`;
    const port = await freePort();
    const silent = { ...loopbackPort(port), addresses: [NO_ANSWER] };
    const { scopes } = await look([loopbackPort(web.port), urlTarget(url), silent]);
    const notRun = expect.not.arrayContaining(['baseline:exposed-git']);
    expect(scopes.toSorted((a, b) => (a.place ?? '').localeCompare(b.place ?? ''))).toEqual([
      {
        place: `127.0.0.1:${web.port}`,
        tcpPorts: String(web.port),
        families: ['inventory', 'tls', 'http', 'exposure', 'open-service'],
      },
      {
        place: url,
        tcpPorts: String(web.port),
        families: ['http', 'exposure'],
        rules: ['baseline:http-service', 'baseline:open-elasticsearch', 'baseline:open-docker'],
      },
    ]);
    const [light] = (await look([loopbackPort(web.port)], { intensity: 'light' })).scopes;
    expect(light?.rulesNotRun).toContain('baseline:exposed-actuator');
    expect(light?.rulesNotRun).toEqual(notRun);
  });

  it('reports progress that never goes back and ends at 100', async () => {
    const web = await weakWeb();
    const { progress } = await runScanner(create(), [loopbackPort(web.port), urlTarget(web.url)]);
    const percents = progress.map(({ percent }: EngineProgress) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toMatchObject({ percent: 100, hostsDone: 2, findingsSoFar: expect.any(Number) });
    expect(progress.at(-1)?.findingsSoFar).toBeGreaterThan(10);
  });

  it('refuses ports it cannot read before it connects to anything', async () => {
    const service = await silentService();
    const target = loopbackPort(service.port);
    await expect(runScanner(create(), [target], { request: { ports: '80;id' } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(service.connections()).toBe(0);
  });

  it('never connects to a name', async () => {
    const target = namedPort('localhost', 80, ['localhost']);
    await expect(runScanner(create(), [target])).rejects.toMatchObject({ code: 'internal_error' });
  });

  it('keeps what it has when it is stopped, and calls the place partial', async () => {
    const web = await weakWeb();
    const silent = await silentService();
    const written: Buffer[] = [];
    const abort = new AbortController();
    const reason = new AppError('scan_aborted', 'stopped by the test');
    const report = new Writable({
      write(chunk: Buffer, _, done) {
        written.push(chunk);
        if (chunk.includes('exposed-git')) abort.abort(reason);
        done();
      },
    });
    const ended = once(report, 'finish');
    const targets = [urlTarget(web.url), loopbackPort(silent.port)];
    await expect(runInto(report, targets, abort.signal)).rejects.toBe(reason);
    await ended;
    await silent.allClosed();
    const events = await parseAll(create(), Buffer.concat(written));
    expect(events.filter(({ kind }) => kind === 'finding').length).toBeGreaterThan(0);
    expect(placesOf(events)).toContainEqual({ place: web.url, status: 'partial', reason: 'the scan was stopped' });
    expect(events.filter(({ kind }) => kind === 'end')).toEqual([]);
  });

  it('waits for a slow reader of its report and loses no line', async () => {
    const web = await weakWeb();
    const written: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        written.push(chunk);
        setImmediate(done);
      },
    });
    expect(await runInto(slow, [urlTarget(web.url)])).toEqual({ whole: true });
    const events = await parseAll(create(), Buffer.concat(written));
    expect(events.at(-1)).toEqual({ kind: 'end' });
  });

  it('stops with the error of a report that cannot be written', async () => {
    const silent = await silentService();
    const full = new AppError('storage_full', 'no room');
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(full) });
    await expect(runInto(broken, [loopbackPort(silent.port)])).rejects.toBe(full);
    await silent.allClosed();
  });

  it('can be stopped while nobody reads its report', async () => {
    const web = await weakWeb();
    const abort = new AbortController();
    const reason = new AppError('scan_aborted', 'stopped by the test');
    const stuck = new Writable({
      highWaterMark: 1,
      write: () => abort.abort(reason), // never says it is done
    });
    await expect(runInto(stuck, [urlTarget(web.url)], abort.signal)).rejects.toBe(reason);
  });
});
