import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/platform/clock.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import type { SqliteQueueDeps } from '../../src/queue/sqlite/store.ts';
import {
  ADOPT_PATIENCE_MS,
  IDEMPOTENCY_HOURS,
  MAX_LOST_LEASES,
  QUEUED_EXPIRY_HOURS,
  type QueueHarness,
} from '../contracts/queue-contract.ts';

export const SETTINGS = {
  idempotencyHours: IDEMPOTENCY_HOURS,
  queuedExpiryHours: QUEUED_EXPIRY_HOURS,
  maxLostLeases: MAX_LOST_LEASES,
  reserveBytes: 0,
  leaseMs: 60_000,
  adoptPatienceMs: ADOPT_PATIENCE_MS,
};

/** A clock that only moves when told. */
export function fakeClock(): Clock & { advance(ms: number): void; setBack(ms: number): void } {
  let wall = Date.UTC(2026, 0, 1);
  let monotonic = 1_000;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    setBack(ms) {
      wall -= ms;
    },
  };
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'scanmux-queue-'));

/** Handles on one file in a folder of its own, with one fake clock and fake workers. */
export async function sqliteHarness(over: Partial<SqliteQueueDeps> = {}): Promise<QueueHarness> {
  const folder = newFolder();
  const clock = fakeClock();
  const dead = new Set<string>();
  const open: ScanQueue[] = [];
  return {
    async open() {
      const queue = await createSqliteQueue({
        folder,
        clock,
        settings: SETTINGS,
        isAlive: (owner) => !dead.has(owner),
        ...over,
      });
      open.push(queue);
      return queue;
    },
    advance: (ms) => clock.advance(ms),
    setBack: (ms) => clock.setBack(ms),
    kill: (workerId) => void dead.add(workerId),
    async freeze(observer) {
      for (let watched = 0; watched <= SETTINGS.leaseMs; watched += 10_000) {
        await observer.claim('observer', []);
        clock.advance(10_000);
      }
    },
    async close() {
      for (const queue of open) await queue.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
