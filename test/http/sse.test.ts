import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { STREAM_LIMITS } from '../../src/http/events/event-streams.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { startRest, type RestServer } from './rest-server.ts';
import { readEvents, type SseReader } from './sse-client.ts';

const OURS = { authorization: 'Bearer ours' };
const ERROR = { code: 'scan_aborted', message: 'It broke.', hint: 'Look.', retryable: false };

let port = 1;
/** Another scan each time: equal requests are one scan. */
async function submitted(server: RestServer): Promise<string> {
  port += 1;
  const answer = await server.post('/scans', { targets: [`127.0.0.1:${port}`] });
  return SubmittedScan.parse(await answer.json()).scan_id;
}

async function claimed(queue: ScanQueue, scanId: string): Promise<Claim> {
  await queue.heartbeat('w');
  const claim = await queue.claim('w', [{ pool: 'baseline', instance: 'local', limit: 999 }]);
  if (claim?.scan.scanId !== scanId) throw new Error('another scan was first');
  return claim;
}

const progress = (percent: number) => ({
  percent,
  phase: 'looking',
  hosts_done: 0,
  hosts_total: 1,
  findings_so_far: 0,
  estimated: false,
  updated_at: new Date(0).toISOString(),
});

const follow = (
  server: RestServer,
  scanId: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<SseReader> => readEvents(`${server.url}/api/scans/${scanId}/events`, { ...OURS, ...headers });

const ids = ({ events }: SseReader): number[] => events.map(({ id }) => id);
const states = ({ events }: SseReader): string[] => events.map(({ data }) => data.state);
const oneToN = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('the events of a scan', () => {
  it('begin with its state, tell every change, and end with the scan', async () => {
    const server = await startRest();
    const { queue } = server.app;
    const scanId = await submitted(server);
    const reader = await follow(server, scanId);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    await reader.until(() => reader.events.length === 1);
    expect(reader.events[0]).toMatchObject({ id: 1, data: { scan_id: scanId, seq: 1, state: 'queued', final: false } });
    const claim = await claimed(queue, scanId);
    await queue.progress(claim, progress(50));
    await queue.finish(claim, { kind: 'failed', error: ERROR });
    await reader.ended;
    expect(ids(reader)).toEqual(oneToN(4));
    expect(states(reader)).toEqual(['queued', 'running', 'running', 'failed']);
    expect(reader.events[2]?.data.progress?.percent).toBe(50);
    expect(reader.events.map(({ data }) => data.final)).toEqual([false, false, false, true]);
  });

  it('of a scan that has ended are its last one, and then nothing more: 204 for who comes back', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    await server.post(`/scans/${scanId}/cancel`);
    const reader = await follow(server, scanId);
    await reader.ended;
    expect(states(reader)).toEqual(['cancelled']);
    const last = String(ids(reader)[0]);
    const again = await server.get(`/scans/${scanId}/events`, { 'last-event-id': last });
    expect(again.status).toBe(204);
    const inQuery = await server.get(`/scans/${scanId}/events?last_event_id=${last}`);
    expect(inQuery.status).toBe(204);
  });

  it('go on after Last-Event-ID, byte for byte as they were, however long the log is', async () => {
    const server = await startRest();
    const { queue } = server.app;
    const scanId = await submitted(server);
    const first = await follow(server, scanId);
    const claim = await claimed(queue, scanId);
    for (let n = 1; n <= 1_200; n += 1) await queue.progress(claim, progress(n / 20));
    await first.until(() => ids(first).at(-1) === 1_202);
    const resumed = await follow(server, scanId, { 'last-event-id': '7' });
    await queue.finish(claim, { kind: 'failed', error: ERROR });
    await Promise.all([first.ended, resumed.ended]);
    expect(ids(first)).toEqual(oneToN(1_203));
    expect(ids(resumed)).toEqual(oneToN(1_203).slice(7));
    const after = (text: string): string => text.slice(text.indexOf('id: 8\n'));
    expect(after(resumed.text())).toBe(after(first.text()));
    const all = await follow(server, scanId, { 'last-event-id': '0' });
    await all.ended;
    expect(ids(all)).toEqual(oneToN(1_203));
    const fresh = await follow(server, scanId);
    await fresh.ended;
    expect(ids(fresh)).toEqual([1_203]);
  });

  it('after an id that is none of ours begin with the state; after one that is no number they are refused', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    const future = await follow(server, scanId, { 'last-event-id': '999999' });
    await future.until(() => future.events.length === 1);
    expect(ids(future)).toEqual([1]);
    const odd = await server.get(`/scans/${scanId}/events`, { 'last-event-id': 'abc' });
    expect(odd.status).toBe(400);
  });

  it('go on past the end of a scan that was put back into the queue', async () => {
    const server = await startRest();
    const { queue } = server.app;
    const scanId = await submitted(server);
    await queue.finish(await claimed(queue, scanId), { kind: 'failed', error: ERROR });
    await queue.retryDeadLetter('local', scanId);
    const reader = await follow(server, scanId, { 'last-event-id': '2' });
    await reader.until(() => reader.events.length === 2);
    expect(states(reader)).toEqual(['failed', 'queued']);
    await server.post(`/scans/${scanId}/cancel`);
    await reader.ended;
    expect(states(reader).at(-1)).toBe('cancelled');
  });

  it('are read from the queue once for all who follow the scan', async () => {
    const server = await startRest();
    const { queue } = server.app;
    const wait = vi.spyOn(queue, 'waitForEvent');
    const scanId = await submitted(server);
    const readers = await Promise.all(Array.from({ length: 20 }, () => follow(server, scanId)));
    await Promise.all(readers.map((reader) => reader.until(() => reader.events.length === 1)));
    expect(wait.mock.calls.length).toBeLessThan(3);
    await server.post(`/scans/${scanId}/cancel`);
    await Promise.all(readers.map(({ ended }) => ended));
    for (const reader of readers) expect(ids(reader)).toEqual([1, 2]);
  });

  it('are not for callers who may not read', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    const answer = await server.get(`/scans/${scanId}/events`, { authorization: 'Bearer reader' });
    expect(answer.status).toBe(403);
  });
});

describe('streams', () => {
  it('have a heartbeat, and end after their time with all that is needed to come back', async () => {
    let later = 0;
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + later };
    const server = await startRest({ streams: { heartbeatMs: 60 }, deps: { clock } });
    const scanId = await submitted(server);
    const reader = await follow(server, scanId);
    const isBeating = (): boolean => /^: /m.test(reader.text());
    later = 3_590_000;
    await reader.until(isBeating);
    later = 3_600_000;
    await reader.ended;
    expect(reader.text()).toMatch(/^retry: \d+\n\nid: 1\n/);
    expect(reader.response.complete).toBe(true);
    expect(STREAM_LIMITS).toMatchObject({ heartbeatMs: 15_000, maxAgeMs: 3_600_000 });
  });

  it('are limited per tenant and in all, and those that end make room', async () => {
    const server = await startRest({ streams: { perTenant: 2, inAll: 3 } });
    const scanId = await submitted(server);
    const [one] = await Promise.all([follow(server, scanId), follow(server, scanId)]);
    const refused = await server.get(`/scans/${scanId}/events`);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    one.close();
    await vi.waitFor(async () => {
      const reader = await follow(server, scanId);
      expect(reader.response.statusCode).toBe(200);
    });
  });

  it('say when to come back, and end, when the server goes down', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    const reader = await follow(server, scanId);
    await reader.until(() => reader.events.length === 1);
    server.closing.abort();
    await reader.ended;
    expect(reader.text()).toMatch(/retry: \d+\n\n$/);
    const late = await server.get(`/scans/${scanId}/events`);
    expect(late.status).toBe(503);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('of a reader that does not read are dropped, and the others get everything', async () => {
    const server = await startRest({ streams: { maxBufferedBytes: 2_000, heartbeatMs: 600 } });
    const { queue } = server.app;
    const scanId = await submitted(server);
    const deaf = connect(server.port, '127.0.0.1');
    const gone = new Promise((resolve) => deaf.once('close', resolve));
    deaf.on('error', () => undefined);
    deaf.write(
      `GET /api/scans/${scanId}/events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ours\r\n\r\n`,
    );
    await new Promise((resolve) => deaf.once('readable', resolve));
    const reader = await follow(server, scanId);
    const claim = await claimed(queue, scanId);
    const phase = 'x'.repeat(400_000);
    for (let n = 1; n <= 40; n += 1) await queue.progress(claim, { ...progress(n), phase });
    await reader.until(() => ids(reader).at(-1) === 42);
    expect(ids(reader)).toEqual(oneToN(42));
    const beats = (): number => reader.text().match(/^: /gm)?.length ?? 0;
    const before = beats();
    await reader.until(() => beats() >= before + 3);
    deaf.resume();
    await gone;
    await queue.finish(claim, { kind: 'failed', error: ERROR });
    await reader.ended;
    const back = await follow(server, scanId, { 'last-event-id': '3' });
    await back.ended;
    expect(ids(back)).toEqual(oneToN(43).slice(3));
  });
});
