import { afterEach, describe, expect, it } from 'vitest';
import type { NewScan, ScanQueue } from '../../src/queue/queue.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { openChaosQueue } from './redis-installation.ts';
import { countBy } from './worker-chaos.ts';

const CLIENTS = 500;
const KEY = { idempotencyKey: 'one-key-for-all' };

/** A few at a time: to connect has to be done in two seconds, too. */
async function openClients(url: string): Promise<readonly ScanQueue[]> {
  const clients: ScanQueue[] = [];
  while (clients.length < CLIENTS) {
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => openChaosQueue(url)))));
  }
  return clients;
}

/** One submit of each client at the same moment; how often each answer came. */
async function submitAll(clients: readonly ScanQueue[], scanOf: (client: number) => NewScan) {
  const answers = await Promise.all(
    clients.map(async (client, n) => {
      for (;;) {
        try {
          return (await client.submit(scanOf(n))).scan.scanId;
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
          // All of them share the processors of this machine, and two seconds may be over. A client asks again.
          if (code !== 'queue_unavailable') return code;
        }
      }
    }),
  );
  return countBy(answers, (answer) => answer);
}

describe('500 clients with connections of their own and one idempotency key', () => {
  let server: RedisServer;
  afterEach(async () => await server.close());

  it('make one scan, and a conflict of every other request', async () => {
    server = await startRedis();
    const clients = await openClients(server.url);
    const [one, other] = [newScan({}, KEY), newScan({}, KEY)];
    const again = (scan: NewScan): NewScan => ({ ...newScan({}, KEY), requestHash: scan.requestHash });

    const first = await submitAll(clients, () => again(one));
    const [scanId = ''] = Object.keys(first);
    expect(first).toEqual({ [scanId]: CLIENTS });
    expect(await submitAll(clients, () => again(other))).toEqual({ idempotency_conflict: CLIENTS });
    expect((await clients[0]?.list('local', { limit: 5 }))?.total).toBe(1);
  }, 60_000);

  it('make one scan when two requests race for the key: all of the one get it, all of the other a conflict', async () => {
    server = await startRedis();
    const clients = await openClients(server.url);
    const both = [newScan({}, KEY), newScan({}, KEY)].map(({ requestHash }) => requestHash);
    const scanOf = (n: number): NewScan => ({ ...newScan({}, KEY), requestHash: both[n % 2] ?? '' });
    const { idempotency_conflict: conflicts, ...scans } = await submitAll(clients, scanOf);
    expect(conflicts).toBe(CLIENTS / 2);
    expect(Object.values(scans)).toEqual([CLIENTS / 2]);
  }, 60_000);
});
