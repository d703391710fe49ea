import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2021-44228';
const RAN = { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const;
const at = (ip: string, port: number) =>
  found({ rule_id: 'log4shell', rule_family: 'web', cves: [CVE], location: { ip, port, protocol: 'tcp' } });
const [A, B] = ['10.0.0.1', '10.0.0.2'];

async function scan({ app, data }: Wire, hosts: readonly string[], findings: readonly ReportEvent[]): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 3)); // the next millisecond
  const events = [RAN, ...hosts.map((name) => placed(name, 'tested')), ...findings, END];
  return await finishedScan({ queue: app.queue, data }, events, { targets: hosts.map((text) => address(text)) });
}

/** As the housekeeper does it: records, then files. */
async function removeOldest({ app }: Wire, limit: number): Promise<readonly string[]> {
  const removed = await app.operations.removeFinished({ finishedBefore: Date.now() + 1, limit });
  const ids = removed.map(({ scanId }) => scanId);
  await app.files.removeScans(ids);
  return ids;
}

describe('scans that retention has removed', () => {
  it('are no part of a search, and what they had covered is looked up in those that are left', async () => {
    const room = await wire();
    const search = async (args = {}) => Found.parse(await room.ok('search_findings', { cve: CVE, ...args }));
    const first = await scan(room, [A], [at(A, 80)]);
    const second = await scan(room, [A, B], [at(A, 80), at(B, 443)]);
    await scan(room, [A], [at(A, 8080)]);
    expect(await search()).toMatchObject({ answer: 'found', total: 2 });
    expect(await removeOldest(room, 2)).toEqual([first, second]);
    expect(await search()).toMatchObject({ answer: 'found', total: 1 });
    expect(await search({ latest_only: false })).toMatchObject({ total: 1 });
    expect(await search({ target: B })).toMatchObject({ total: 0 });
    expect((await search({ target: B })).answer).not.toBe('found');
    expect(await removeOldest(room, 9)).toHaveLength(1);
    expect((await search()).answer).not.toBe('found');
  });

  it('are unknown to every tool that is given their id, and leave the others to compare with', async () => {
    const room = await wire();
    const [base, middle] = [await scan(room, [A], [at(A, 80)]), await scan(room, [A], [at(A, 80)])];
    const head = await scan(room, [A], []);
    expect(await room.ok('compare_scans', { head_scan_id: head })).toMatchObject({ base_scan_id: middle });
    await removeOldest(room, 1);
    expect(await room.fails('compare_scans', { head_scan_id: head, base_scan_id: base })).toMatch(/^scan_not_found/);
    expect(await room.fails('get_scan_results', { scan_id: base })).toMatch(/^scan_not_found/);
    expect(await room.fails('get_finding', { finding_id: `${base}.1` })).toMatch(/^(scan|finding)_not_found/);
    expect(await room.ok('compare_scans', { head_scan_id: head })).toMatchObject({ base_scan_id: middle });
    const page = await room.ok('list_scans', { limit: 1 });
    await removeOldest(room, 1);
    expect(await room.ok('list_scans', { limit: 1, cursor: page['next_cursor'] })).toMatchObject({ scans: [] });
    expect(await room.fails('compare_scans', { head_scan_id: head })).toMatch(/^scan_not_found/);
  });

  it('that go between two pages of a search end it without a failure', async () => {
    const room = await wire();
    for (let port = 1; port <= 12; port += 1) await scan(room, [`10.0.1.${port}`], [at(`10.0.1.${port}`, port)]);
    const first = await room.ok('search_findings', { cve: CVE, max_tokens: 700 });
    await removeOldest(room, 12);
    const cursor = first['next_cursor'];
    if (typeof cursor !== 'string') throw new Error('the first page holds everything');
    const answer = await room.client.callTool({
      name: 'search_findings',
      arguments: { cve: CVE, max_tokens: 700, cursor },
    });
    expect(JSON.stringify(answer)).not.toMatch(/internal_error|storage_unusable/);
  });
});
