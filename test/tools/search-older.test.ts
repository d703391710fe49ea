import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import { FindingAnswer } from '../../src/model/contract/results.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2021-44228';
const RAN = { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const;
const GONE = { report_state: 'baseline: absent' };
const at = (ip: string, port: number, over = {}) =>
  found({ rule_id: 'log4shell', rule_family: 'web', cves: [CVE], location: { ip, port, protocol: 'tcp' }, ...over });

function scansOf({ app, data }: Wire) {
  return async (hosts: readonly string[], findings: readonly ReportEvent[], over: Finished = {}): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const events = [RAN, ...hosts.map((name) => placed(name, 'tested')), ...findings, END];
    return finishedScan({ queue: app.queue, data }, events, { targets: hosts.map((text) => address(text)), ...over });
  };
}

const [A, B] = ['10.0.0.1', '10.0.0.2'];
const search = async ({ ok }: Wire, args: Record<string, unknown> = {}) =>
  Found.parse(await ok('search_findings', { cve: CVE, ...args }));

describe('search_findings, where older scans had more', () => {
  it('says so beside not_found, and that a newer look is the reason', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A], [at(A, 80), at(A, 81)]);
    await scan([A], [at(A, 80)]);
    await scan([A], []);
    const answer = await search(room);
    expect(answer).toMatchObject({ answer: 'not_found', total: 0 });
    expect(answer.summary).toContain(
      'Older scans had 2 findings (in 2 scans) that the newest do not show; latest_only false shows them.',
    );
    expect((await search(room, { target: A })).summary).toContain('Older scans had 2 findings');
    expect((await search(room, { latest_only: false })).summary).not.toContain('Older');
  });

  it('says so beside found, and counts what the newest show no second time', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A, B], [at(A, 80), at(A, 81), at(B, 80)]);
    await scan([B], [at(B, 80)]);
    await scan([A], [at(A, 80)]);
    const answer = await search(room);
    expect(answer).toMatchObject({ answer: 'found', total: 2 });
    expect(answer.summary).toContain('Older scans had 1 more finding (in 1 scan) that the newest do not show');
    expect((await search(room, { port: 80 })).summary).not.toContain('Older');
    expect((await search(room, { target: B })).summary).not.toContain('Older');
  });

  it('says it on the first page alone', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A], [at(A, 9)]);
    await scan(
      [A],
      Array.from({ length: 40 }, (_, n) => at(A, 100 + n)),
    );
    const first = await search(room, { max_tokens: 500 });
    expect(first.summary).toContain('Older scans had 1 more finding');
    expect(first.next_cursor).toBeDefined();
    const second = await search(room, { max_tokens: 500, cursor: first.next_cursor });
    expect(second.summary).not.toContain('Older');
  });
});

describe('what a SARIF report lists as gone', () => {
  const sarif = { engine: 'sarif' } as const;

  it('is not found, and not passed over', async () => {
    const room = await wire();
    await scansOf(room)([A], [at(A, 80, GONE), at(A, 81, GONE)], sarif);
    const answer = await search(room);
    expect(answer).toMatchObject({ answer: 'not_found', total: 0, findings: [] });
    expect(answer.summary).toContain('2 findings are only listed by a report as gone since its baseline (absent)');
    expect((await search(room, { port: 80 })).summary).toContain('1 finding is only listed');
    expect((await search(room, { port: 82 })).summary).not.toContain('gone');
  });

  it('is no witness', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A], [at(A, 80, GONE)], sarif);
    const mine = await scan([A], [at(A, 80)]);
    const of = async (id: string) => FindingAnswer.parse(await room.ok('get_finding', { finding_id: id }));
    expect((await of(`${mine}.1`)).witnesses).toBeUndefined();
    const still = await scan([A], [at(A, 80)], sarif);
    expect((await of(`${mine}.1`)).witnesses).toMatchObject([{ scan_id: still }]);
  });

  it('is not present in the history of a finding, and was looked at', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const first = await scan([A], [at(A, 80)], sarif);
    const second = await scan([A], [at(A, 80, GONE)], sarif);
    const third = await scan([A], [at(A, 80)], sarif);
    const { history } = FindingAnswer.parse(await room.ok('get_finding', { finding_id: `${third}.1` }));
    expect(history).toMatchObject([
      { scan_id: second, present: false },
      { scan_id: first, present: true },
    ]);
  });
});
