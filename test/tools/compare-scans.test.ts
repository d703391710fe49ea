import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Comparison } from '../../src/model/contract/compare.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { address, END, found, host, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const ALL: ReportEvent = { kind: 'scope', scope: { tcpPorts: 'all', families: ['*'] } };
const weak = (rule: string, over = {}) => found({ rule_id: rule, rule_family: 'web', ...over });

/** Scans that end one after the other; their times differ by a millisecond at least. */
function scansOf({ app, data }: Wire) {
  return async (events: readonly ReportEvent[], over: Finished = {}): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    return finishedScan({ queue: app.queue, data }, [ALL, placed('10.0.0.1', 'tested'), ...events, END], over);
  };
}

const comparison = async ({ ok }: Wire, args: Record<string, unknown>) =>
  Comparison.parse(await ok('compare_scans', args));

describe('compare_scans', () => {
  it('finds the base itself and says what became of each finding', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const base = await scan([weak('goes'), weak('stays'), weak('worsens', { severity: 'low' })]);
    const head = await scan([weak('stays'), weak('worsens', { severity: 'high' }), weak('comes')]);
    const answer = await comparison(room, { head_scan_id: head });
    expect(answer).toMatchObject({
      base_scan_id: base,
      compared_by: 'fingerprint',
      counts: { new: 1, newly_visible: 0, fixed: 1, persisting: 1, changed: 1, not_observed: 0 },
      suppressed: 0,
    });
    expect(answer.findings.map((one) => [one.change, one['rule_id'], one.changed, one['finding_id']])).toEqual([
      ['new', 'comes', undefined, expect.stringContaining(head)],
      ['changed', 'worsens', ['severity low -> high'], expect.stringContaining(head)],
      ['fixed', 'goes', undefined, expect.stringContaining(base)],
      ['persisting', 'stays', undefined, expect.stringContaining(head)],
    ]);
    expect(answer.summary).toMatch(/1 new, 0 newly visible, 1 changed, 1 fixed, 0 not observed, 1 persisting/);
  });

  it('takes equal targets before wider ones, and the same access only', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const network = {
      target: { kind: 'network', text: '10.0.0.0/30', first: '10.0.0.0', last: '10.0.0.3', size: 4 } as const,
      addresses: ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'],
    };
    const same = await scan([]);
    const wide = await scan([], { targets: [network] });
    await scan([], { targets: [address('10.0.0.2')] });
    await scan([], { request: { access: 'authenticated' } });
    await scan([], { engine: 'openvas' });
    const head = await scan([]);
    expect((await comparison(room, { head_scan_id: head })).base_scan_id).toBe(same);
    const partly = await scan([], { targets: [address('10.0.0.1'), address('10.0.0.3')] });
    expect((await comparison(room, { head_scan_id: partly })).base_scan_id).toBe(wide);
  });

  it('chooses a base from before a time, and says what there is when there is none', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const first = await scan([]);
    const second = await scan([]);
    const head = await scan([]);
    const { finishedAt = 0 } = (await room.app.queue.get('local', second)) ?? {};
    const before = (at: number) => ({ head_scan_id: head, base_before: new Date(at).toISOString() });
    expect((await comparison(room, before(finishedAt))).base_scan_id).toBe(second);
    expect((await comparison(room, before(finishedAt - 1))).base_scan_id).toBe(first);
    const none = await room.fails('compare_scans', before(1_000));
    expect(none).toMatch(/^scan_not_found: .* Name one as base_scan_id: scan_/);
    expect(none).toContain(first);
    const alone = await scan([], { targets: [host('alone.test', '10.0.0.9')] });
    expect(await room.fails('compare_scans', { head_scan_id: alone })).toMatch(/^scan_not_found: .*list_scans/);
  });

  it('refuses what cannot be compared, and says what to do', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const [first, second] = [await scan([]), await scan([])];
    const foreign = await scan([], { tenant: 'other' });
    const refused = (base: string, head = second) =>
      room.fails('compare_scans', { head_scan_id: head, base_scan_id: base });
    expect(await refused(second)).toMatch(/^invalid_request: .*same scan/);
    expect(await refused(second, first)).toMatch(/^invalid_request: base_scan_id finished after head_scan_id.*Swap/);
    expect(await refused(foreign)).toMatch(/^scan_not_found/);
    expect(await refused(first, foreign)).toMatch(/^scan_not_found/);
    expect(await refused('scan_00000000000000000000')).toMatch(/^scan_not_found/);
    expect(
      await room.fails('compare_scans', {
        head_scan_id: first,
        base_scan_id: second,
        base_before: '2026-01-01T00:00:00Z',
      }),
    ).toMatch(/^invalid_request: base_before/);
    const { scan_id: running } = await room.ok('run_untrusted_scan', { targets: ['127.0.0.1'] });
    expect(await refused(first, String(running))).toMatch(/^scan_not_finished/);
    await room.ok('cancel_scan', { scan_id: running });
    expect(await refused(first, String(running))).toMatch(/^invalid_request: .*without results/);
    expect(await room.fails('compare_scans', { head_scan_id: second, host: '10.0.0.0/99' })).toMatch(
      /^invalid_request: host/,
    );
  });

  it('says what the proof lacks, and what to do next', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const on = (rule: string, port: number) =>
      weak(rule, { location: { ip: '10.0.0.1', port, protocol: 'tcp' }, rule_family: rule });
    await scan([on('a', 80), on('b', 81), on('c', 82)]);
    const events: ReportEvent[] = [
      { kind: 'scope', scope: { tcpPorts: '80', families: ['b', 'c'] } },
      placed('10.0.0.1', 'tested'),
      END,
    ];
    const head = await finishedScan({ queue: room.app.queue, data: room.data }, events);
    const answer = await comparison(room, { head_scan_id: head });
    expect(
      answer.findings
        .map((one) => [String(one['rule_id']), one.change, one.why])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ['a', 'not_observed', 'check'],
      ['b', 'not_observed', 'port'],
      ['c', 'not_observed', 'port'],
    ]);
    expect(answer.summary).toContain('missing: the check for 1, the port for 2.');
    expect(answer.summary).toMatch(/Next: to prove a fix, scan there again/);
  });

  it('says first that scans have no place in common', async () => {
    const room = await wire();
    const run = (ip: string) =>
      finishedScan(
        { queue: room.app.queue, data: room.data },
        [ALL, placed(ip, 'tested'), weak('x', { location: { ip, port: 80, protocol: 'tcp' } }), END],
        { targets: [address(ip)] },
      );
    const [base, head] = [await run('10.0.0.1'), await run('10.0.0.2')];
    const { summary, counts } = await comparison(room, { head_scan_id: head, base_scan_id: base });
    expect(summary).toMatch(/^These two scans have no place in common.*Next: list_scans/);
    expect(counts).toMatchObject({ new: 0, fixed: 0, newly_visible: 1, not_observed: 1 });
  });

  it('counts suppressed findings apart, or says how many of those shown are', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const base = await scan([weak('goes')]);
    const head = await scan([]);
    const { findings = [] } = await room.ok('get_scan_results', { scan_id: base });
    const [first] = z.array(z.looseObject({ finding_id: z.string() })).parse(findings);
    await room.ok('suppress_finding', {
      finding_id: first?.finding_id,
      status: 'accepted_risk',
      reason: 'known',
    });
    const without = await comparison(room, { head_scan_id: head });
    expect(without.counts.fixed).toBe(0);
    expect(without.summary).toContain('1 more is suppressed.');
    const shown = await comparison(room, { head_scan_id: head, include_suppressed: true });
    expect(shown.counts.fixed).toBe(1);
    expect(shown.summary).toContain('1 of them is suppressed.');
  });

  it('says that two engines prove nothing about each other', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const base = await scan([weak('a', { cves: ['CVE-2024-0001'] }), weak('b')], { engine: 'openvas' });
    const head = await scan([weak('c', { cves: ['CVE-2024-0001'] }), weak('d', { cves: ['CVE-2024-0002'] })]);
    const answer = await comparison(room, { head_scan_id: head, base_scan_id: base });
    expect(answer).toMatchObject({
      compared_by: 'cve',
      counts: { persisting: 1, newly_visible: 1, new: 0, fixed: 0 },
      not_comparable: { head: 0, base: 1 },
    });
    expect(answer.summary).toMatch(/Two engines/);
  });

  it('pages with a cursor and writes to the audit log', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([]);
    const head = await scan(Array.from({ length: 40 }, (_, rule) => weak(`r${rule}`)));
    const first = await comparison(room, { head_scan_id: head, max_tokens: 500 });
    expect(first.next_cursor).toBeDefined();
    const rest = await comparison(room, { head_scan_id: head, max_tokens: 20_000, cursor: first.next_cursor });
    expect(first.findings.length + rest.findings.length).toBe(40);
    expect(await room.fails('compare_scans', { head_scan_id: head, cursor: first.next_cursor, port: 80 })).toMatch(
      /^cursor_invalid/,
    );
  });
});
