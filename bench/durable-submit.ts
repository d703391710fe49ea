import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import type { NewScan } from '../src/queue/queue.ts';
import { createSqliteQueue } from '../src/queue/sqlite/queue.ts';
import { counts, type Bench, type Size } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { createInstallation, type Installation } from './installation.ts';
import { ECHO_SERVER, SCANMUX } from './programs.ts';
import { createRawSqlite } from './raw-sqlite.ts';
import { newScan, seedQueue } from './seeded-queue.ts';
import { callSide } from './status-call.ts';
import { lineOf, type Line } from './table.ts';
import { connect } from './wire.ts';

const PREPARED = 600;

/** A durable submit at the queue port against the least a durable insert can cost: one row, one commit. */
async function atThePort({ data, floor }: Installation, size: Size): Promise<readonly Line[]> {
  const raw = createRawSqlite(floor);
  const queue = await createSqliteQueue({
    folder: join(data, 'port'),
    clock: systemClock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 },
  });
  let made = 0;
  /** Made before they are counted: ids and hashes are the caller's work, not the queue's. */
  const ready: NewScan[] = [];
  const prepare = (): void => {
    while (ready.length < PREPARED) ready.push(newScan((made += 1)));
  };
  prepare();
  const submit: Side = {
    name: 'queue.submit',
    async once() {
      await queue.submit(ready.pop() ?? newScan((made += 1)));
    },
    rest: () => Promise.resolve(prepare()),
  };
  try {
    const name = 'durable submit at the queue port, one at a time';
    const sides = { name, floor: raw, subject: submit };
    const result = await compare({ ...sides, ...counts(size, { rounds: 24, perRound: 300, warmUp: 500 }) });
    return [lineOf(result, 'perSecond', { of: 'ratio', atLeast: 0.6 }), lineOf(result, 'p99')];
  } finally {
    raw.close();
    await queue.close();
  }
}

/** The whole tool, with policy, audit log and queue, against an SDK tool that commits one row. */
async function overStdio({ data, floor, argv }: Installation, size: Size): Promise<readonly Line[]> {
  const queue = await seedQueue(data);
  const commit = await connect([ECHO_SERVER, join(floor)]);
  const ours = await connect([SCANMUX, ...argv]);
  try {
    const args = () => ({ targets: ['127.0.0.1'], scanner_pool: 'baseline', idempotency_key: randomUUID() });
    const result = await compare({
      name: 'run_untrusted_scan over stdio',
      floor: callSide('bare SDK tool, one commit', commit, 'commit', args),
      subject: callSide('run_untrusted_scan', ours, 'run_untrusted_scan', args),
      ...counts(size, { rounds: 8, perRound: 100, warmUp: 300 }),
    });
    return [lineOf(result, 'p50'), lineOf(result, 'p99')];
  } finally {
    await Promise.all([commit.close(), ours.close()]);
    await queue.close();
  }
}

export const durableSubmit: Bench = async (size) => {
  const installation = createInstallation();
  try {
    return [...(await atThePort(installation, size)), ...(await overStdio(installation, size))];
  } finally {
    installation.remove();
  }
};
