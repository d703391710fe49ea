import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { PlaceStatus } from '../../src/model/coverage.ts';
import type { ReportEvent, ReportScope } from '../../src/model/report.ts';
import { address, END, found, host, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2021-44228';
const scope = (over: ReportScope): ReportEvent => ({ kind: 'scope', scope: over });
const RAN = scope({ tcpPorts: 'all', families: ['web'] });
const at = (ip: string, over = {}) =>
  found({
    rule_id: 'log4shell',
    rule_family: 'web',
    cves: [CVE],
    location: { ip, port: 8080, protocol: 'tcp' },
    ...over,
  });

interface Told extends Finished {
  readonly hosts?: Readonly<Record<string, PlaceStatus>>;
  readonly scopes?: readonly ReportEvent[];
  readonly ended?: boolean;
}

/** Scans of some hosts that end one after the other. */
function scansOf({ app, data }: Wire) {
  return async (findings: readonly ReportEvent[], told: Told = {}): Promise<string> => {
    const { hosts = { '10.0.0.1': 'tested' }, scopes = [RAN], ended = true, ...over } = told;
    await new Promise((resolve) => setTimeout(resolve, 3));
    const places = Object.entries(hosts).map(([name, status]) => placed(name, status));
    return finishedScan({ queue: app.queue, data }, [...scopes, ...places, ...findings, ...(ended ? [END] : [])], {
      targets: Object.keys(hosts).map((name) => address(name)),
      ...over,
    });
  };
}

const search = async ({ ok }: Wire, args: Record<string, unknown>) => Found.parse(await ok('search_findings', args));

describe('search_findings', () => {
  it('finds a CVE on every host that has it, in the newest scan of each', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1')]);
    const newest = await scan([at('10.0.0.1')]);
    const other = await scan([at('10.0.0.2')], { hosts: { '10.0.0.2': 'tested' } });
    const answer = await search(room, { cve: CVE });
    expect(answer).toMatchObject({
      answer: 'found',
      total: 2,
      hosts: { searched: 2, could_detect: 2 },
      scans: [
        { scan_id: other, engine: 'nessus', findings: 1 },
        { scan_id: newest, engine: 'nessus', findings: 1 },
      ],
    });
    expect(answer.findings.map(({ finding_id: id }) => id)).toEqual([`${other}.1`, `${newest}.1`]);
    expect((await search(room, { cve: CVE, latest_only: false })).total).toBe(3);
  });

  it('does not count what a newer scan of the same engine no longer has', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1'), at('10.0.0.2')], { hosts: { '10.0.0.1': 'tested', '10.0.0.2': 'tested' } });
    await scan([], { hosts: { '10.0.0.1': 'tested' } });
    expect(await search(room, { cve: CVE })).toMatchObject({ answer: 'found', total: 1, hosts: { searched: 2 } });
    expect(await search(room, { cve: CVE, target: '10.0.0.1' })).toMatchObject({ answer: 'not_found', total: 0 });
    await scan([], { engine: 'openvas', hosts: { '10.0.0.2': 'tested' } });
    expect(await search(room, { cve: CVE, host: '10.0.0.2' })).toMatchObject({ answer: 'found', total: 1 });
    await scan([], { hosts: { '10.0.0.2': 'unreachable' } });
    expect(await search(room, { cve: CVE, host: '10.0.0.2' })).toMatchObject({ answer: 'found', total: 1 });
  });

  it('says not_found only where a check for it ran on every host in question', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1')]);
    await scan([], { hosts: { '10.0.0.1': 'tested', '10.0.0.2': 'tested' } });
    expect(await search(room, { cve: CVE })).toMatchObject({
      answer: 'not_found',
      hosts: { searched: 2, could_detect: 2 },
      summary: expect.stringContaining('a check for it ran'),
    });
    await scan([], { hosts: { '10.0.0.3': 'unreachable' } });
    expect(await search(room, { cve: CVE })).toMatchObject({
      answer: 'cannot_tell',
      hosts: { searched: 2, could_detect: 2 },
      summary: expect.stringContaining('1 host was asked for and not looked at'),
    });
    expect(await search(room, { cve: CVE, target: '10.0.0.1' })).toMatchObject({ answer: 'not_found' });
    expect(await search(room, { cve: CVE, target: '10.0.0.0/30' })).toMatchObject({
      answer: 'cannot_tell',
      summary: expect.stringMatching(/never asked for/),
    });
  });

  it.each<[string, Told, RegExp]>([
    [
      'the family did not run',
      { scopes: [scope({ tcpPorts: 'all', families: ['ssl'] })] },
      /not proven that the check/,
    ],
    ['the check was left out', { scopes: [RAN, scope({ rulesNotRun: ['log4shell'] })] }, /not proven/],
    ['nothing is said of what ran', { scopes: [] }, /not proven/],
    ['the report has no end', { ended: false }, /not proven/],
    ['the host was looked at in part', { hosts: { '10.0.0.1': 'partial' } }, /not proven/],
  ])('cannot tell when %s', async (_why, told, reason) => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.9')], { hosts: { '10.0.0.9': 'tested' } });
    await scan([], told);
    const answer = await search(room, { cve: CVE, target: '10.0.0.1' });
    expect(answer).toMatchObject({ answer: 'cannot_tell', total: 0, hosts: { searched: 1, could_detect: 0 } });
    expect(answer.summary).toMatch(reason);
  });

  it('cannot tell when nobody is known to have a check, or when nothing was looked at', async () => {
    const room = await wire();
    expect(await search(room, { cve: CVE })).toMatchObject({
      answer: 'cannot_tell',
      hosts: { searched: 0, could_detect: 0 },
      summary: expect.stringContaining('No finished scan looked there'),
    });
    await scansOf(room)([], { scopes: [scope({ tcpPorts: 'all', families: ['*'] })] });
    expect((await search(room, { cve: CVE })).summary).toMatch(/No engine that was used is known to have a check/);
    expect(await search(room, { min_severity: 'critical' })).toMatchObject({ answer: 'not_found' });
    await scansOf(room)([]);
    expect((await search(room, { min_severity: 'critical' })).summary).toMatch(/names no CVE, rule or text/);
  });

  it('says not_found to words only where every check they may mean ran', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const titled = (rule_id: string, rule_family: string) =>
      found({ rule_id, rule_family, title: 'Bad certificate', location: { ip: '10.0.0.9' } });
    await scan([titled('docker', 'docker'), titled('tls', 'tls')], { hosts: { '10.0.0.9': 'tested' } });
    await scan([], { scopes: [scope({ tcpPorts: 'all', families: ['docker'] })] });
    const question = { text: 'certificate', target: '10.0.0.1' };
    expect(await search(room, question)).toMatchObject({
      answer: 'cannot_tell',
      hosts: { searched: 1, could_detect: 0 },
      summary: expect.stringContaining('Other words could name it'),
    });
    expect(await search(room, { rule_id: 'docker', target: '10.0.0.1' })).toMatchObject({ answer: 'not_found' });
    await scan([], { scopes: [scope({ tcpPorts: 'all', families: ['docker', 'tls'] })] });
    expect(await search(room, question)).toMatchObject({
      answer: 'not_found',
      summary: expect.stringContaining('Other words could name it'),
    });
  });

  it('does not pass over what older scans found and no newer one disproves', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const hosts = { '10.0.0.1': 'tested', '10.0.0.2': 'tested' } as const;
    await scan([at('10.0.0.1'), at('10.0.0.2')], { hosts });
    await scan([], { hosts, scopes: [] });
    const silent = { answer: 'cannot_tell', total: 0 };
    const answer = await search(room, { cve: CVE });
    expect(answer).toMatchObject(silent);
    expect(answer.summary).toContain('Older scans found it and nothing disproves it since: 2 findings in 1 scan');
    expect(answer.summary).toContain('latest_only false');
    expect(await search(room, { cve: CVE, latest_only: false })).toMatchObject({ answer: 'found', total: 2 });
    await scan([], { hosts: { '10.0.0.1': 'tested' } });
    expect((await search(room, { cve: CVE })).summary).toContain('1 finding in 1 scan');
    expect((await search(room, { cve: 'CVE-2000-0001' })).summary).not.toContain('Older');
  });

  it('says in how many scans and on how many hosts it is, and that these may be places', async () => {
    const room = await wire();
    const scan = scansOf(room);
    for (const last of [1, 2, 3]) {
      const ip = `10.0.0.${last}`;
      await scan(last === 2 ? [at(ip)] : [], { hosts: { [ip]: 'tested' } });
    }
    expect((await search(room, { cve: CVE })).summary).toBe(
      'Found: 1 finding on 1 host, in 1 of 3 scans searched (3 hosts). Next: get_finding with a finding_id.',
    );
    await scan([found({ cves: [CVE], location: { file: 'src/a.ts', line: 3 } })], {
      hosts: {},
      engine: 'sarif',
      request: { targets: ['repo'] },
    });
    expect((await search(room, { cve: CVE })).summary).toContain('2 findings on 2 places, in 2 of 4 scans searched');
  });

  it('does not take a check that was only seen with a login for one that ran without', async () => {
    const room = await wire();
    const { app, data } = room;
    const scan = async (ip: string, login: 'success' | 'failed', findings: readonly ReportEvent[]) =>
      finishedScan(
        { queue: app.queue, data },
        [RAN, { kind: 'place', place: { place: ip, status: 'tested', login } }, ...findings, END],
        { targets: [address(ip)] },
      );
    await scan('10.0.0.1', 'success', [at('10.0.0.1')]);
    await scan('10.0.0.2', 'failed', []);
    await scan('10.0.0.3', 'success', []);
    expect(await search(room, { cve: CVE, target: '10.0.0.2' })).toMatchObject({ answer: 'cannot_tell' });
    expect(await search(room, { cve: CVE, target: '10.0.0.3' })).toMatchObject({ answer: 'not_found' });
  });

  it('does not find what the report itself lists as gone', async () => {
    const room = await wire();
    await scansOf(room)([at('10.0.0.1', { report_state: 'baseline: absent' })], { engine: 'sarif' });
    expect(await search(room, { cve: CVE, latest_only: false })).toMatchObject({ total: 0, findings: [] });
  });

  it('does not call absent what is there with a lower rating than asked for', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1', { severity: 'medium' })]);
    await scan([at('10.0.0.2', { severity: 'critical', kev: true })], { hosts: { '10.0.0.2': 'tested' } });
    for (const rating of [{ min_severity: 'high' }, { kev_only: true }])
      expect(await search(room, { cve: CVE, target: '10.0.0.1', ...rating })).toMatchObject({
        answer: 'found',
        total: 0,
        summary: expect.stringContaining('1 finding (medium)'),
      });
  });

  it('knows the checks of engines that never found anything yet', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([], { engine: 'nmap', scopes: [scope({ tcpPorts: 'all', rules: ['nse:ssl-heartbleed'] })] });
    expect(await search(room, { cve: 'CVE-2014-0160' })).toMatchObject({ answer: 'not_found' });
    expect(await search(room, { rule_id: 'NSE:ssl-heartbleed', port: 443 })).toMatchObject({ answer: 'not_found' });
    expect(await search(room, { cve: 'CVE-2014-3566' })).toMatchObject({ answer: 'cannot_tell' });
  });

  it('searches names, URLs, text and what lies on no host', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const { app, data } = room;
    const named = found({
      location: { host: 'app.test', ip: '10.0.0.7', port: 443 },
      untrusted: { banner: 'Frobnicator' },
    });
    await finishedScan({ queue: app.queue, data }, [placed('10.0.0.7', 'tested'), named, END], {
      targets: [host('app.test', '10.0.0.7')],
    });
    expect(await search(room, { text: 'frobnicator' })).toMatchObject({ answer: 'found', total: 1 });
    expect(await search(room, { text: 'frobnicator', target: 'https://app.test/x' })).toMatchObject({ total: 1 });
    expect(await search(room, { text: 'frobnicator', target: 'app.test:80' })).toMatchObject({ total: 0 });
    expect(await search(room, { text: 'frobnicator', target: 'other.test' })).toMatchObject({ total: 0 });
    await scan([found({ rule_id: 'sast', location: { file: 'src/a.ts', line: 3 } })], {
      hosts: {},
      engine: 'sarif',
      request: { targets: ['repo'] },
    });
    expect(await search(room, { rule_id: 'sast' })).toMatchObject({ answer: 'found', total: 1 });
  });

  it('knows a host by its name and by its address, whichever its scan lists', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([], { engine: 'openvas', hosts: { '10.6.7.1': 'tested' } });
    const named = at('10.6.7.1', { location: { host: 'web7', ip: '10.6.7.1', port: 8080 } });
    const { app, data } = room;
    const finished = (place: string, events: readonly ReportEvent[], targets = [host('web7', '10.6.7.9')]) =>
      finishedScan({ queue: app.queue, data }, [RAN, placed(place, 'tested'), ...events, END], { targets });
    const byName = await finished('web7', [named]);
    const byAddress = { ip: '10.6.8.1', host: 'web.corp', port: 80 };
    await finished('10.6.8.1', [at('10.6.8.1', { location: byAddress })], [address('10.6.8.1')]);
    for (const latest_only of [true, false]) {
      for (const question of [
        { host: '10.6.7.1' },
        { target: '10.6.7.1' },
        { target: '10.6.7.1/32' },
        { host: 'web7' },
        { host: 'web.corp' },
        { target: 'web.corp' },
        { host: '10.6.8.1' },
      ]) {
        const answer = await search(room, { cve: CVE, latest_only, ...question });
        expect(answer, JSON.stringify(question)).toMatchObject({ answer: 'found', total: 1 });
        expect(answer.hosts, JSON.stringify(question)).toEqual({ searched: 1, could_detect: 1 });
      }
      const range = await search(room, { rule_id: 'log4shell', target: '10.0.0.0/8', latest_only });
      expect(range).toMatchObject({ answer: 'found', total: 2, hosts: { searched: 2, could_detect: 2 } });
    }
    const all = await search(room, { cve: CVE });
    expect(all).toMatchObject({ total: 2, hosts: { searched: 2, could_detect: 2 } });
    expect((await search(room, { cve: CVE, host: '10.6.7.1' })).findings[0]?.finding_id).toBe(`${byName}.1`);
  });

  it('does not bring back what a newer look disproved by another spelling', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.6.8.1', { location: { ip: '10.6.8.1', host: 'web.corp', port: 80 } })], {
      hosts: { '10.6.8.1': 'tested' },
    });
    await scan([], { hosts: { '10.6.8.1': 'tested' } });
    expect(await search(room, { cve: CVE })).toMatchObject({ total: 0 });
    expect(await search(room, { cve: CVE, host: '10.6.8.1' })).toMatchObject({ answer: 'not_found' });
  });

  it('continues exactly where a page stopped, over the end of a file, and not after a new scan', async () => {
    const room = await wire();
    const scan = scansOf(room);
    for (const last of [1, 2, 3]) {
      const ip = `10.0.0.${last}`;
      await scan(
        Array.from({ length: 15 }, (_, n) => at(ip, { rule_id: `r${n}` })),
        { hosts: { [ip]: 'tested' } },
      );
    }
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      // Nothing is cut where it can come on the next page.
      const page: Found = await search(room, {
        cve: CVE,
        max_tokens: 500,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.total).toBe(45);
      for (const one of page.findings) expect(one).not.toHaveProperty('cut');
      ids.push(...page.findings.map(({ finding_id: id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(new Set(ids).size).toBe(45);
    expect(ids).toHaveLength(45);
    const { next_cursor: stale } = await search(room, { cve: CVE, max_tokens: 500 });
    expect(await room.fails('search_findings', { cve: CVE, cursor: stale, port: 80 })).toMatch(/^cursor_invalid/);
    await scan([], { hosts: { '10.0.0.4': 'tested' } });
    expect(await room.fails('search_findings', { cve: CVE, cursor: stale })).toMatch(/^cursor_invalid/);
  });

  it('answers without a file that cannot be read, and never not_found', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1')], { hosts: { '10.0.0.1': 'tested' } });
    const damaged = await scan([], { hosts: { '10.0.0.2': 'tested' } });
    const { result } = (await room.app.queue.get('local', damaged)) ?? {};
    writeFileSync(join(room.data, 'scans', damaged, result?.artefacts[0]?.path ?? ''), 'no database');
    expect(await search(room, { cve: CVE })).toMatchObject({ answer: 'found', total: 1 });
    expect(await search(room, { cve: CVE, latest_only: false })).toMatchObject({ answer: 'found', total: 1 });
    expect(await search(room, { rule_id: 'log4shell', port: 1 })).toMatchObject({
      answer: 'cannot_tell',
      summary: expect.stringContaining('1 scan could not be read'),
    });
  });

  it('sees only the own scans, only after a time, and refuses what it cannot read', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([at('10.0.0.1')], { tenant: 'other' });
    expect(await search(room, { cve: CVE })).toMatchObject({ total: 0, scans: [] });
    const id = await scan([at('10.0.0.1')]);
    const { finishedAt = 0 } = (await room.app.queue.get('local', id)) ?? {};
    const after = (ms: number) => search(room, { cve: CVE, finished_after: new Date(ms).toISOString() });
    expect(await after(finishedAt - 1)).toMatchObject({ total: 1 });
    expect(await after(finishedAt)).toMatchObject({ answer: 'cannot_tell', total: 0 });
    expect(await room.fails('search_findings', { cve: 'log4shell' })).toMatch(/^invalid_request: cve/);
    expect(await room.fails('search_findings', { target: '-x' })).toMatch(/^target_invalid/);
    expect(await room.fails('search_findings', { host: '10.0.0.0/99' })).toMatch(/^invalid_request: host/);
  });
});
