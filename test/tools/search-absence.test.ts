import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { ReportEvent, ReportScope } from '../../src/model/report.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const [A, B] = ['10.0.0.1', '10.0.0.2'];

/** Scans in the order of their ends, whose scope is as given. */
function scansOf({ app, data }: Wire) {
  return async (
    hosts: readonly string[],
    scope: ReportScope,
    findings: readonly ReportEvent[],
    over: Finished = {},
  ) => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const events: ReportEvent[] = [{ kind: 'scope', scope }, ...hosts.map((name) => placed(name, 'tested'))];
    return finishedScan({ queue: app.queue, data }, [...events, ...findings, END], {
      targets: hosts.map((text) => address(text)),
      ...over,
    });
  };
}

const search = async ({ ok }: Wire, args: Record<string, unknown>) => Found.parse(await ok('search_findings', args));

describe('search_findings by text', () => {
  it('cannot tell of words that no check that is known has', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const titled = found({ rule_id: 'a', rule_family: 'web', title: 'Old certificate', location: { ip: A } });
    await scan([A], { tcpPorts: 'all', families: ['*'] }, [titled]);
    for (const question of [{ text: 'Heartbleed' }, { text: 'Heartbleed', host: A }]) {
      const answer = await search(room, question);
      expect(answer).toMatchObject({ answer: 'cannot_tell', total: 0, hosts: { searched: 1, could_detect: 0 } });
      expect(answer.summary).toContain('No engine that was used is known to have a check for it');
    }
    await scan([B], { tcpPorts: 'all', families: ['*'] }, []);
    expect(await search(room, { text: 'certificate', host: B })).toMatchObject({ answer: 'not_found' });
  });
});

const CVE = 'CVE-2010-2075';
const irc = (ip: string, location = {}) =>
  found({
    rule_id: '46882',
    rule_family: 'irc',
    cves: [CVE],
    location: { ip, port: 6667, protocol: 'tcp', ...location },
  });
const ALL = { tcpPorts: 'all', families: ['irc'] } as const;

describe('search_findings by a rule that nobody knows', () => {
  it('names those that are like it, apart from the summary', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const rules = ['nessus:33850', 'nessus:133850', '40024', 'nmap:port-open', 'nse:smb-vuln-ms17-010'];
    await scan(
      [A],
      {},
      rules.map((rule_id) => found({ rule_id, location: { ip: A } })),
    );
    const like = async (rule_id: string) => search(room, { rule_id });
    for (const [asked, meant] of [
      ['33850', ['nessus:33850', 'nessus:133850']],
      ['zap:40024', ['40024']],
      ['port-open', ['nmap:port-open']],
      ['MS17-010', ['nse:smb-vuln-ms17-010']],
    ] as const) {
      const answer = await like(asked);
      expect(answer).toMatchObject({ answer: 'cannot_tell', did_you_mean: meant });
      expect(answer.summary).toContain('Next: one of the rule ids in did_you_mean');
      expect(answer.summary).not.toContain(meant[0]);
    }
    for (const asked of ['nessus:33850', 'no-such', '85', 'x%_'])
      expect(await like(asked)).not.toHaveProperty('did_you_mean');
    expect((await search(room, { host: 'splunk.test' })).summary).toContain('Next: ask by its address, or run a scan.');
  });
});

describe('search_findings, where an older scan had it', () => {
  it.each<[string, ReportScope, string]>([
    ['says no ports', { families: ['irc'] }, 'cannot_tell'],
    ['tried other ports', { tcpPorts: '1-1024', families: ['irc'] }, 'cannot_tell'],
    ['tried the port of the other protocol', { udpPorts: 'all', families: ['irc'] }, 'cannot_tell'],
    ['tried the port', { tcpPorts: '6667', families: ['irc'] }, 'not_found'],
  ])('takes the newer one, which %s, for as much as a comparison does', async (_what, scope, expected) => {
    const room = await wire();
    const scan = scansOf(room);
    const base = await scan([A], ALL, [irc(A)]);
    const head = await scan([A], scope, []);
    for (const question of [{ cve: CVE }, { rule_id: '46882', host: A }, { cve: CVE, target: A }]) {
      const answer = await search(room, question);
      expect(answer, JSON.stringify(question)).toMatchObject({ answer: expected, total: 0 });
      if (expected === 'cannot_tell')
        expect(answer.summary).toContain(
          'On 1 host an older scan found it, and no newer one is proven to have looked there again',
        );
    }
    const changed = await room.ok('compare_scans', { base_scan_id: base, head_scan_id: head });
    expect(changed).toMatchObject({
      counts: expected === 'not_found' ? { fixed: 1, not_observed: 0 } : { fixed: 0, not_observed: 1 },
    });
    // Where nobody ever had it, that the check ran is enough.
    await scan([B], scope, []);
    expect(await search(room, { cve: CVE, host: B })).toMatchObject({ answer: 'not_found' });
  });

  it('believes another engine only where it tried that port', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([B], { families: ['irc'] }, [irc(B)], { engine: 'openvas' });
    await scan([A], ALL, [irc(A)]);
    await scan([A], {}, []);
    await scan([A], { tcpPorts: '1-1024', families: ['irc'] }, [], { engine: 'openvas' });
    expect(await search(room, { cve: CVE, host: A })).toMatchObject({ answer: 'cannot_tell' });
    await scan([A], ALL, [], { engine: 'openvas' });
    expect(await search(room, { cve: CVE, host: A })).toMatchObject({ answer: 'not_found' });
  });

  it('does not forget what was found at a page of a URL that is looked at again without its port', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const url = 'http://10.0.0.1:6667/app';
    await scan([A], ALL, [irc(A, { url })]);
    await scan([A], { families: ['irc'] }, []);
    expect(await search(room, { cve: CVE })).toMatchObject({ answer: 'cannot_tell' });
  });

  it('asks the newest scan of each host, however many there are', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const hosts = Array.from({ length: 12 }, (_, n) => `10.0.1.${n + 1}`);
    await scan(
      hosts,
      ALL,
      hosts.map((ip) => irc(ip)),
    );
    for (const ip of hosts) await scan([ip], ALL, []);
    expect(await search(room, { cve: CVE })).toMatchObject({ answer: 'not_found', hosts: { could_detect: 12 } });
    await scan(['10.0.1.3'], { families: ['irc'] }, []);
    expect(await search(room, { cve: CVE })).toMatchObject({ answer: 'cannot_tell', hosts: { could_detect: 11 } });
    expect(await search(room, { cve: CVE, host: '10.0.1.4' })).toMatchObject({ answer: 'not_found' });
  });
});

describe('search_findings, where engines know more from day to day', () => {
  const rule = { rule_id: 'CVE-2026-1000', cves: ['CVE-2026-1000'], location: { ip: A } };
  it.each<[string, ReportScope, ReportScope, string]>([
    ['is older', { rulesAsOf: '2026-06-01T00:00:00Z' }, { rulesAsOf: '2025-06-01T00:00:00Z' }, 'cannot_tell'],
    ['says no day', { rulesAsOf: '2026-06-01T00:00:00Z' }, {}, 'cannot_tell'],
    ['is as new', { rulesAsOf: '2026-06-01T00:00:00Z' }, { rulesAsOf: '2026-06-01T00:00:00Z' }, 'not_found'],
    ['is newer than one that says no day', {}, { rulesAsOf: '2025-06-01T00:00:00Z' }, 'not_found'],
    ['has no options that show more', { reportsMore: true }, {}, 'cannot_tell'],
  ])('takes no check for known to one that %s', async (_what, there, here, expected) => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A], { families: ['*'], ...there }, [found(rule)], { engine: 'grype' });
    await scan([B], { families: ['*'], ...here }, [], { engine: 'grype' });
    for (const question of [{ cve: 'CVE-2026-1000' }, { rule_id: 'CVE-2026-1000' }])
      expect(await search(room, { ...question, host: B })).toMatchObject({ answer: expected, total: 0 });
    expect(await search(room, { cve: 'CVE-2026-1000' })).toMatchObject({
      answer: 'found',
      hosts: { searched: 2, could_detect: expected === 'not_found' ? 2 : 1 },
    });
  });

  it('takes a check for known since the first day it was seen', async () => {
    const room = await wire();
    const scan = scansOf(room);
    for (const rulesAsOf of ['2026-06-01T00:00:00Z', '2026-01-01T00:00:00Z'])
      await scan([A], { families: ['*'], rulesAsOf }, [found(rule)], { engine: 'grype' });
    await scan([B], { families: ['*'], rulesAsOf: '2026-03-01T00:00:00Z' }, [], { engine: 'grype' });
    expect(await search(room, { cve: 'CVE-2026-1000', host: B })).toMatchObject({ answer: 'not_found' });
  });
});

it('says in every summary of search_findings what to do next', async () => {
  const room = await wire();
  const scan = scansOf(room);
  const next = async (args: Record<string, unknown>) => (await search(room, args)).summary.split(' Next: ').slice(1);
  expect(await next({ cve: CVE })).toEqual(['run a scan.']);
  await scan([A], ALL, [irc(A)]);
  expect(await next({ cve: CVE })).toEqual(['get_finding with a finding_id.']);
  expect(await next({ cve: CVE, min_severity: 'critical' })).toEqual(['leave them out.']);
  await scan([B], ALL, []);
  expect(await next({ cve: CVE, host: B })).toEqual(['get_scan_results of one of scans shows its coverage.']);
  await scan([B], {}, []);
  expect(await next({ cve: CVE, host: B })).toEqual(['run a scan there with such a check.']);
  expect(await next({ cve: 'CVE-2000-0001' })).toEqual(['list_scanners tells which engines look for what.']);
  expect(await next({ port: 9 })).toEqual(['name a CVE, rule or text.']);
});
