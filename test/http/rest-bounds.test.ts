import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import type { App } from '../../src/app.ts';
import { startRest, type RestServer } from './rest-server.ts';

const TARGET = { targets: ['127.0.0.1:1'] };
const LARGE = JSON.stringify(TARGET) + ' '.repeat(900 * 1024);

async function statusOf(answer: Response): Promise<[number, string | null]> {
  await answer.text();
  return [answer.status, answer.headers.get('retry-after')];
}

/** Emits `waits` whenever somebody begins to wait for an event. */
function waitsOf({ queue }: App): EventTarget {
  const seen = new EventTarget();
  const waitForEvent = queue.waitForEvent.bind(queue);
  Object.assign(queue, {
    waitForEvent: (...args: Parameters<typeof waitForEvent>) => {
      seen.dispatchEvent(new Event('waits'));
      return waitForEvent(...args);
    },
  });
  return seen;
}

/** A request that waits for its scan, which nothing runs. @returns lets it go */
async function hold(server: RestServer, padding = 0): Promise<() => Promise<void>> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const waits = once(waitsOf(server.app), 'waits');
  const waiting = fetch(`${server.url}/api/scans`, {
    method: 'POST',
    headers: { authorization: 'Bearer ours', 'content-type': 'application/json' },
    body: JSON.stringify({ ...TARGET, wait_seconds: 50 }) + ' '.repeat(padding),
    signal: over.signal,
  }).catch(() => undefined);
  await waits;
  return async () => {
    over.abort();
    await waiting;
  };
}

describe('requests of REST that wait', () => {
  it('are bounded for each tenant, who then is told when to come back; reading goes on', async () => {
    const server = await startRest({ bounds: { perTenant: 1 } });
    const letGo = await hold(server);
    const refused = await server.post('/scans', TARGET);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await statusOf(await server.get('/scans'))).toEqual([200, null]);
    expect((await statusOf(await server.post('/scans', TARGET, { authorization: 'Bearer theirs' })))[0]).not.toBe(429);
    await letGo();
    await expect.poll(async () => (await statusOf(await server.post('/scans', TARGET)))[0]).toBe(202);
  });

  it('are bounded by the size of their bodies; small ones always pass', async () => {
    const server = await startRest({ bounds: { bodyBytes: 1 } });
    const letGo = await hold(server, 1_000 * 1024);
    await expect.poll(async () => (await statusOf(await server.post('/scans', LARGE)))[0]).toBe(202);
    const letBothGo = await hold(server, 1_000 * 1024);
    expect(await statusOf(await server.post('/scans', LARGE))).toEqual([429, '2']);
    const small = await server.post('/scans', TARGET);
    expect(SubmittedScan.parse(await small.json()).deduplicated).toBe(true);
    await letGo();
    await letBothGo();
    await expect.poll(async () => (await statusOf(await server.post('/scans', LARGE)))[0]).toBe(202);
  });

  it('have bodies as large as the setting says', async () => {
    const server = await startRest({ maxBodyKb: 2 });
    const tooLarge = JSON.stringify(TARGET) + ' '.repeat(2_048);
    expect(await statusOf(await server.post('/scans', tooLarge))).toEqual([413, null]);
    expect((await statusOf(await server.post('/scans', TARGET)))[0]).toBe(202);
  });
});
