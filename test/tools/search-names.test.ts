import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { LoginOutcome, PlaceStatus } from '../../src/model/coverage.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { ScanRequest } from '../../src/model/scan.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import { address, END, found, host } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2021-44228';
const RAN = { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const;
const weak = (location: Record<string, unknown>) =>
  found({
    rule_id: 'log4shell',
    rule_family: 'web',
    cves: [CVE],
    location: { port: 8080, protocol: 'tcp', ...location },
  });

interface Told {
  readonly status?: PlaceStatus;
  readonly login?: LoginOutcome;
  readonly engine?: string;
  readonly scopes?: readonly ReportEvent[];
  readonly request?: Partial<ScanRequest>;
}

/** One scan of some targets, each looked at under its own word. */
function scansOf({ app, data }: Wire) {
  return async (targets: readonly PinnedTarget[], findings: readonly ReportEvent[] = [], told: Told = {}) => {
    const { status = 'tested', login, engine = 'nessus', scopes = [RAN], request = {} } = told;
    await new Promise((resolve) => setTimeout(resolve, 3));
    const places = targets.map(({ target }) => ({
      kind: 'place' as const,
      place: { place: target.text, status, ...(login === undefined ? {} : { login }) },
    }));
    return finishedScan({ queue: app.queue, data }, [...scopes, ...places, ...findings, END], {
      engine,
      targets,
      request,
    });
  };
}

const search = async ({ ok }: Wire, args: Record<string, unknown>) =>
  Found.parse(await ok('search_findings', { cve: CVE, ...args }));

describe('search_findings, where an address has names', () => {
  it('does not lose what one name showed when another name of the address does not', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const older = await scan([host('a.test', '10.0.0.7')], [weak({ host: 'a.test', ip: '10.0.0.7' })]);
    await scan([host('b.test', '10.0.0.7')], [found({ location: { host: 'b.test', ip: '10.0.0.7', port: 22 } })]);
    for (const question of [
      { target: '10.0.0.7' },
      { host: '10.0.0.7' },
      { target: '10.0.0.0/29' },
      { target: 'a.test' },
    ]) {
      const answer = await search(room, question);
      expect(answer, JSON.stringify(question)).toMatchObject({ answer: 'found', total: 1 });
      expect(answer.findings[0]?.finding_id).toBe(`${older}.1`);
    }
    expect(await search(room, { target: 'b.test' })).toMatchObject({ answer: 'not_found' });
  });

  it('does not lose what the address showed when a name of it does not, nor the other way round', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.7')], [weak({ ip: '10.0.0.7' })]);
    await scan([host('a.test', '10.0.0.7')], [found({ location: { host: 'a.test', ip: '10.0.0.7', port: 22 } })]);
    expect(await search(room, { target: '10.0.0.7' })).toMatchObject({ answer: 'found', total: 1 });
    await scan([host('c.test', '10.0.0.9')], [weak({ host: 'c.test', ip: '10.0.0.9' })]);
    await scan([address('10.0.0.9')]);
    expect(await search(room, { target: '10.0.0.9' })).toMatchObject({ answer: 'found', total: 1 });
  });

  it('does not take a look under one name for a look at the address or its other names', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.200')], [weak({ ip: '10.0.0.200' })]);
    await scan([host('b.test', '10.0.0.7')]);
    const question = { target: '10.0.0.7' };
    expect(await search(room, { target: 'b.test' })).toMatchObject({ answer: 'not_found' });
    const byName = await search(room, question);
    expect(byName).toMatchObject({ answer: 'cannot_tell', total: 0, hosts: { searched: 1, could_detect: 0 } });
    expect(byName.summary).toContain('a look under one name of an address does not count for its other names');
    await scan([address('10.0.0.7')]);
    expect(await search(room, question)).toMatchObject({
      answer: 'not_found',
      hosts: { searched: 1, could_detect: 1 },
    });
    await scan([host('a.test', '10.0.0.7')], [], { scopes: [] });
    expect(await search(room, question)).toMatchObject({ answer: 'cannot_tell' });
  });

  it('takes a check that looks at the address as such for a look at all of its names', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const scopes = (...rules: string[]) => [{ kind: 'scope', scope: { tcpPorts: 'all', rules } } as const];
    const nmap = { engine: 'nmap', scopes: scopes('nse:smb-vuln-ms17-010', 'nse:http-vuln-cve2015-1635') };
    await scan([host('a.test', '10.0.0.7')], [], nmap);
    await scan([host('b.test', '10.0.0.7')], [], { engine: 'nmap', scopes: [] });
    const of = (cve: string, target: string) => search(room, { cve, target });
    expect(await of('CVE-2017-0143', '10.0.0.7')).toMatchObject({ answer: 'not_found' });
    expect(await of('CVE-2017-0143', 'a.test')).toMatchObject({ answer: 'not_found' });
    expect(await of('CVE-2015-1635', 'a.test')).toMatchObject({ answer: 'not_found' });
    expect(await of('CVE-2015-1635', '10.0.0.7')).toMatchObject({ answer: 'cannot_tell' });
    expect(await of('CVE-2015-1635', 'b.test')).toMatchObject({ answer: 'cannot_tell' });
  });

  it('knows the address a name was pinned to, though nothing was found there', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.7')], []);
    await scan([host('a.test', '10.0.0.7')], [], { status: 'unreachable' });
    await scan([address('10.0.0.200')], [weak({ ip: '10.0.0.200' })]);
    const answer = await search(room, { target: '10.0.0.7/32' });
    expect(answer.answer).toBe('cannot_tell');
    expect(answer.summary).toContain('1 host was asked for and not looked at');
    expect(await search(room, { target: '10.0.0.8/32' })).toMatchObject({
      answer: 'cannot_tell',
      summary: expect.stringContaining('No finished scan looked there'),
    });
  });

  it('does not take a name for one more address of a network', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.200')], [weak({ ip: '10.0.0.200' })]);
    await scan([address('10.0.0.6')]);
    await scan([host('a.test', '10.0.0.6')]);
    await scan([host('b.test', '10.0.0.6')]);
    const answer = await search(room, { target: '10.0.0.6/31' });
    expect(answer.answer).toBe('cannot_tell');
    expect(answer.summary).toContain('1 address was never asked for');
    await scan([address('10.0.0.7')]);
    expect(await search(room, { target: '10.0.0.6/31' })).toMatchObject({ answer: 'not_found' });
  });

  it('counts what a name showed without an address at the only address it was pinned to', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([host('a.test', '10.0.0.7')], [weak({ host: 'a.test' })]);
    expect(await search(room, { target: '10.0.0.7' })).toMatchObject({ answer: 'found', total: 1 });
    await scan([host('two.test', '10.0.1.7', '10.0.1.8')], [weak({ host: 'two.test' })]);
    await scan([address('10.0.1.7')]);
    expect(await search(room, { target: '10.0.1.7' })).toMatchObject({ answer: 'cannot_tell' });
    expect(await search(room, { target: '10.0.1.0/28' })).toMatchObject({ answer: 'found', total: 1 });
  });

  it('cannot tell of addresses while a name without a known address may be one of them', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.200')], [weak({ ip: '10.0.0.200' })]);
    await scan([address('10.0.0.7')]);
    expect(await search(room, { target: '10.0.0.7' })).toMatchObject({ answer: 'not_found' });
    await scan([{ target: { kind: 'host', text: 'c.test', host: 'c.test' }, addresses: [] }]);
    const named = '1 host was scanned by a name whose address is not known (hosts.by_name_only)';
    await scan([address('10.0.0.6')]);
    for (const target of ['10.0.0.6/31', '10.0.0.5'])
      expect(await search(room, { target })).toMatchObject({
        answer: 'cannot_tell',
        hosts: { by_name_only: ['c.test'] },
        summary: expect.stringContaining(named),
      });
    // One exact address is answered for by the look at it as such.
    for (const question of [{ target: '10.0.0.7' }, { host: '10.0.0.7' }, { target: '10.0.0.7/32' }])
      expect(await search(room, question)).toMatchObject({
        answer: 'not_found',
        hosts: { searched: 1, could_detect: 1, by_name_only: ['c.test'] },
        summary: expect.stringContaining(`${named}: ask for them by name.`),
      });
    expect((await search(room, {})).hosts).not.toHaveProperty('by_name_only');
    expect(await search(room, { target: 'c.test' })).toMatchObject({ answer: 'not_found' });
  });
});

describe('search_findings, where hosts are known by name only', () => {
  const unknown = (name: string): PinnedTarget => ({ target: { kind: 'host', text: name, host: name }, addresses: [] });

  it('names the first of them, within the budget and on the first page', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const names = Array.from({ length: 30 }, (_, n) => `host-${100 + n}.test`);
    await scan(names.map(unknown));
    const ips = Array.from({ length: 20 }, (_, n) => `10.0.0.${n + 1}`);
    await scan(
      ips.map((ip) => address(ip)),
      ips.map((ip) => weak({ ip })),
    );
    const all = await search(room, { target: '10.0.0.0/24', max_tokens: 4_000 });
    expect(all.hosts.by_name_only).toEqual(names.slice(0, 20));
    const small = await search(room, { target: '10.0.0.0/24', max_tokens: 500 });
    expect(small.hosts.by_name_only?.length).toBeLessThan(20);
    const next = await search(room, { target: '10.0.0.0/24', max_tokens: 500, cursor: small.next_cursor });
    expect(next.hosts.by_name_only).toBeUndefined();
  });

  it('does not drop what older scans had, though a newer look disproves it', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address('10.0.0.7')], [weak({ ip: '10.0.0.7' })]);
    await scan([address('10.0.0.7')]);
    await scan([address('10.0.0.6'), unknown('c.test')]);
    const hint = 'Older scans had 1 finding (in 1 scan) that the newest do not show; latest_only false shows them.';
    for (const [target, answer] of [
      ['10.0.0.7', 'not_found'],
      ['10.0.0.6/31', 'cannot_tell'],
    ])
      expect(await search(room, { target })).toMatchObject({ answer, summary: expect.stringContaining(hint) });
  });
});

describe('search_findings, where a check may need a login', () => {
  const request = { access: 'authenticated' } as const;
  const [seen, asked] = ['10.0.0.1', '10.0.0.2'];

  it.each<[LoginOutcome | undefined, LoginOutcome | undefined, string]>([
    ['success', 'success', 'not_found'],
    ['success', 'partial', 'cannot_tell'],
    ['success', 'failed', 'cannot_tell'],
    ['success', undefined, 'cannot_tell'],
    ['partial', 'partial', 'cannot_tell'],
    ['partial', 'success', 'not_found'],
    ['failed', 'failed', 'not_found'],
    [undefined, undefined, 'not_found'],
    [undefined, 'partial', 'cannot_tell'],
    [undefined, 'failed', 'cannot_tell'],
  ])('seen with a login that was %s, looked for with one that was %s: %s', async (before, now, answer) => {
    const room = await wire();
    const scan = scansOf(room);
    const login = (outcome: LoginOutcome | undefined) => (outcome === undefined ? {} : { login: outcome });
    await scan([address(seen)], [weak({ ip: seen })], { request, ...login(before) });
    await scan([address(asked)], [], { request, ...login(now) });
    expect(await search(room, { target: asked })).toMatchObject({ answer, total: 0 });
  });

  it('knows that a check needs no login when one host showed it without', async () => {
    const room = await wire();
    const { app, data } = room;
    const at = (ip: string, login: LoginOutcome) =>
      ({ kind: 'place', place: { place: ip, status: 'tested', login } }) as const;
    const events = [
      RAN,
      at(seen, 'success'),
      at('10.0.0.3', 'failed'),
      weak({ ip: seen }),
      weak({ ip: '10.0.0.3' }),
      END,
    ];
    await finishedScan({ queue: app.queue, data }, events, { request, targets: [address(seen), address('10.0.0.3')] });
    await scansOf(room)([address(asked)], [], { request, login: 'failed' });
    expect(await search(room, { target: asked })).toMatchObject({ answer: 'not_found' });
  });

  it('does not let a look without elevated rights disprove what one with them saw', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([address(seen)], [weak({ ip: seen })], {
      request: { ...request, privilege: 'elevated' },
      login: 'success',
    });
    await scan([address(asked)], [], { request, login: 'success' });
    expect(await search(room, { target: asked })).toMatchObject({ answer: 'cannot_tell' });
  });
});
