import { describe, expect, it } from 'vitest';
import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { ReportEvent } from '../../src/model/report.ts';
import type { Progress } from '../../src/model/scan.ts';
import { finishedScan } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const RUN = { targets: ['127.0.0.1'], scanner_pool: 'baseline' };
const SLOTS = [{ pool: 'baseline', instance: 'local', limit: 9 }];
const PROGRESS: Progress = {
  percent: 40,
  phase: 'scanning',
  hosts_done: 0,
  hosts_total: 1,
  findings_so_far: 0,
  estimated: true,
  updated_at: '2026-01-01T00:00:00.000Z',
};
const UNKNOWN = 'scan_00000000000000000000';

const started = async (mcp: Wire): Promise<string> => String((await mcp.ok('run_untrusted_scan', RUN))['scan_id']);

async function claimed({ app: { queue } }: Wire) {
  const claim = await queue.claim('worker', SLOTS);
  if (!claim) throw new Error('nothing to claim');
  return claim;
}

const Contents = z.object({ contents: z.array(z.object({ uri: z.string(), mimeType: z.string(), text: z.string() })) });
const read = async ({ client }: Wire, uri: string): Promise<Record<string, unknown>> => {
  const [only] = Contents.parse(await client.readResource({ uri })).contents;
  if (only?.uri !== uri) throw new Error('another resource was answered');
  return z.record(z.string(), z.unknown()).parse(JSON.parse(only.text));
};

const NO_EVENTS: readonly ReportEvent[] = [{ kind: 'end' }];

describe('resources', () => {
  it('are the scanners, the policy, and the scans of the caller, newest first, in pages without repeats', async () => {
    const mcp = await wire();
    const made: string[] = [];
    for (let n = 0; n < 52; n += 1) {
      made.push(String((await mcp.ok('run_untrusted_scan', { ...RUN, idempotency_key: `key-${n}-000` }))['scan_id']));
    }
    const first = await mcp.client.listResources();
    expect(first.resources.slice(0, 2).map(({ uri }) => uri)).toEqual(['scanmux://scanners', 'scanmux://policy']);
    const second = await mcp.client.listResources({ cursor: first.nextCursor ?? '' });
    const scans = [...first.resources.slice(2), ...second.resources].map(({ uri }) => uri);
    expect(scans).toEqual(made.toReversed().map((id) => `scan://${id}`));
    expect(second.nextCursor).toBeUndefined();
  });

  it('say what the tools say', async () => {
    const mcp = await wire();
    const id = await started(mcp);
    expect(await read(mcp, `scan://${id}`)).toEqual(await mcp.ok('get_scan_status', { scan_id: id }));
    expect(await read(mcp, 'scanmux://scanners')).toEqual(await mcp.ok('list_scanners'));
    expect(await read(mcp, 'scanmux://policy')).toMatchObject({
      source: 'built-in: loopback only',
      scopes: expect.arrayContaining(['scan:run']),
    });
    const done = await finishedScan({ queue: mcp.app.queue, data: mcp.data }, NO_EVENTS, { engine: 'nmap' });
    expect(await read(mcp, `scan://${done}/findings`)).toEqual(await mcp.ok('get_scan_results', { scan_id: done }));
    expect(await read(mcp, `scan://${done}/report/sarif`)).toMatchObject({ version: '2.1.0' });
  });

  it.each([
    [`scan://${UNKNOWN}`, -32_002, 'scan_not_found'],
    ['scan://nonsense', -32_602, 'invalid_request'],
    ['scan://../../etc/passwd', -32_602, 'invalid_request'],
    ['file:///etc/passwd', -32_602, 'invalid_request'],
    [`scan://${UNKNOWN}/report/../../x`, -32_602, 'invalid_request'],
    [`scan://${UNKNOWN}/report/exe`, -32_602, 'invalid_request'],
  ])('that are none are refused with a code: %s', async (uri, code, name) => {
    const mcp = await wire();
    await expect(mcp.client.readResource({ uri })).rejects.toMatchObject({ code, data: { error: { code: name } } });
  });

  it('are linked from the answer that makes a scan, beside its text', async () => {
    const mcp = await wire();
    const { content, structuredContent } = await mcp.client.callTool({ name: 'run_untrusted_scan', arguments: RUN });
    expect(content).toEqual([
      { type: 'text', text: JSON.stringify(structuredContent) },
      expect.objectContaining({ type: 'resource_link', uri: expect.stringMatching(/^scan:\/\/scan_/) }),
    ]);
  });

  it('complete the ids of scans, formats, pools, and nothing else', async () => {
    const mcp = await wire();
    const id = await started(mcp);
    const values = async (name: string, value: string, uri = 'scan://{scan_id}') =>
      (await mcp.client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion.values;
    expect(await values('scan_id', 'scan_')).toEqual([id]);
    expect(await values('scan_id', 'scan_zzzz')).toEqual([]);
    expect(await values('format', 'c', 'scan://{scan_id}/report/{format}')).toEqual(['csv', 'cyclonedx_vex']);
    expect(await values('scanner_pool', 'base')).toEqual(['baseline']);
    expect(await values('reason', '')).toEqual([]);
  });
});

describe('a subscription', () => {
  it('tells of every change of a scan until it has ended, and not after it was taken back', async () => {
    const mcp = await wire();
    const told: string[] = [];
    mcp.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri));
    const [watched, left] = [
      await started(mcp),
      String((await mcp.ok('run_untrusted_scan', { ...RUN, ports: '81' }))['scan_id']),
    ];
    for (const id of [watched, left]) await mcp.client.subscribeResource({ uri: `scan://${id}` });
    await mcp.client.unsubscribeResource({ uri: `scan://${left}` });
    const seen = (count: number) => expect.poll(() => told.length).toBeGreaterThanOrEqual(count);
    const claim = await claimed(mcp);
    await seen(1);
    await mcp.app.queue.progress(claim, PROGRESS);
    await seen(2);
    await mcp.app.queue.cancel('local', left);
    await mcp.app.queue.finish(claim, { kind: 'cancelled' });
    await seen(3);
    expect(told).toEqual([1, 2, 3].map(() => `scan://${watched}`));
  });

  it('is refused for what is no scan of the caller', async () => {
    const mcp = await wire();
    for (const uri of [`scan://${UNKNOWN}`, 'scanmux://scanners']) {
      await expect(mcp.client.subscribeResource({ uri })).rejects.toMatchObject({ data: { error: expect.anything() } });
    }
  });
});

describe('the log of a connection', () => {
  it('tells of the scans it started, from the level the client asked for', async () => {
    const mcp = await wire();
    const told: unknown[] = [];
    mcp.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void told.push(params));
    const id = await started(mcp);
    const claim = await claimed(mcp);
    const error = { code: 'scan_aborted', message: 'm', hint: 'h', retryable: true };
    await mcp.app.queue.finish(claim, { kind: 'failed', error });
    const failed = { level: 'warning', logger: 'scan', data: { scan_id: id, state: 'failed' } };
    await expect.poll(() => told).toEqual([failed]);
    await mcp.client.setLoggingLevel('info');
    const other = await started(mcp);
    const queued = { level: 'info', logger: 'scan', data: { scan_id: other, state: 'queued' } };
    await expect.poll(() => told).toEqual([failed, queued]);
  });
});
