import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createQueueOn } from '../../src/queue/sqlite/queue.ts';
import { openStore, type Store } from '../../src/queue/sqlite/store.ts';
import { createWorkerSeat } from '../../src/queue/sqlite/worker-seat.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

const ONE = 'boot|1|100';
const TWO = 'boot|2|200';
const SLOT = { pool: 'nmap', instance: 'a', limit: 1 };

describe('the seat of the one worker process', () => {
  const folder = { path: '' };
  let clock: ReturnType<typeof fakeClock>;
  let dead: Set<string>;
  const stores: Store[] = [];
  beforeEach(() => {
    folder.path = newFolder();
    clock = fakeClock();
    dead = new Set();
  });
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
    rmSync(folder.path, { recursive: true, force: true });
  });

  const process = async (identity: string) => {
    const isAlive = (owner: string): boolean => ![...dead].some((text) => owner.startsWith(text));
    const store = await openStore({ folder: folder.path, clock, settings: SETTINGS, isAlive });
    stores.push(store);
    return { queue: createQueueOn(store), seat: createWorkerSeat(store, identity) };
  };
  const watched = async (look: () => Promise<unknown>): Promise<void> => {
    for (let ms = 0; ms <= SETTINGS.leaseMs; ms += 10_000) {
      await look();
      clock.advance(10_000);
    }
  };

  it('goes to one of two, and stays with it', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    expect(await one.seat.holder()).toBeUndefined();
    expect(await one.seat.take()).toBe(true);
    expect(await two.seat.take()).toBe(false);
    expect(await one.seat.take()).toBe(true);
    expect([await one.seat.holder(), await two.seat.holder()]).toEqual([ONE, ONE]);
  });

  it('passes on at once when its holder is dead', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    await one.seat.take();
    dead.add(ONE);
    expect(await two.seat.holder()).toBeUndefined();
    expect(await two.seat.take()).toBe(true);
    expect(await one.seat.take()).toBe(false);
  });

  it('passes on when its holder stood frozen under the eyes of the next, with its claims', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    await one.seat.take();
    await one.queue.submit(newScan());
    const claim = await one.queue.claim(`${ONE}|0`, [SLOT]);
    await watched(async () => await two.seat.holder());
    expect(await two.seat.take()).toBe(true);
    expect((await two.queue.claim(TWO, [SLOT]))?.epoch).toBe(2);
    expect(claim && (await one.queue.renew(claim)).owned).toBe(false);
    expect(await one.seat.take()).toBe(false);
  });

  it('stays with a holder that beats, however long anyone watches', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    await one.seat.take();
    for (let n = 0; n < 3; n++) {
      await watched(async () => {
        await one.queue.heartbeat(`${ONE}|0`);
        await two.seat.take();
      });
    }
    expect(await two.seat.holder()).toBe(ONE);
  });

  it('is not left while a scan is not final, and is free after', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    await one.seat.take();
    const { scan } = await two.queue.submit(newScan());
    expect(await one.seat.releaseIfIdle()).toBe(false);
    await two.queue.cancel('local', scan.scanId);
    expect(await one.seat.releaseIfIdle()).toBe(true);
    expect(await two.seat.holder()).toBeUndefined();
  });

  it('is left only by its holder', async () => {
    const [one, two] = [await process(ONE), await process(TWO)];
    await one.seat.take();
    await two.seat.release();
    expect(await two.seat.holder()).toBe(ONE);
    await one.seat.release();
    expect(await two.seat.take()).toBe(true);
  });
});
