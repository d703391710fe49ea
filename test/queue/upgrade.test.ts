import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openMigrated } from '../../src/queue/sqlite/migrate.ts';
import { createQueueOn, openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { MIGRATIONS } from '../../src/queue/sqlite/schema.ts';
import { openStore } from '../../src/queue/sqlite/store.ts';
import { createSuppressionList } from '../../src/queue/sqlite/suppressions.ts';
import { newImport } from '../contracts/imports-contract.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

it('a queue file of the first version keeps its scans as runs, and takes imports and suppressions', async () => {
  const folder = newFolder();
  const path = join(folder, 'queue.db');
  const request = {
    access: 'untrusted',
    targets: ['a.test'],
    pool: 'nmap',
    intensity: 'light',
    priority: 5,
    max_duration_minutes: 60,
  };
  writeFileSync(path, '');
  const old = await openMigrated(path, MIGRATIONS.slice(0, 1));
  old
    .prepare(
      `INSERT INTO scans (scan_id, tenant, trace_id, request, request_hash, engine, pool, priority, state, rank, bound,
         created_at, queued_at, event_seq)
       VALUES ('scan_00000000000000000000', 'local', ?, ?, 'h', 'nmap', 'nmap', 5, 'completed', 0, '', 1, 1, 1)`,
    )
    .run('1'.repeat(32), JSON.stringify(request));
  old.close();
  const store = await openStore({ folder, clock: fakeClock(), settings: SETTINGS, isAlive: () => true });
  const queue = createQueueOn(store);
  try {
    expect(await queue.get('local', 'scan_00000000000000000000')).toMatchObject({ origin: 'run', request });
    expect((await queue.recordImport(newImport({ requestHash: 'h' }))).deduplicated).toBe(false);
    const suppressions = createSuppressionList(store);
    const entry = { status: 'mitigated', reason: 'r', who: 'cli', expiresAt: fakeClock().now() + 10 } as const;
    await suppressions.put('local', { fingerprint: 'f', ...entry });
    expect((await suppressions.inForce('local')).entries).toHaveLength(1);
  } finally {
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it('a queue file from before operations keeps counting from what is in it', async () => {
  const folder = newFolder();
  const path = join(folder, 'queue.db');
  writeFileSync(path, '');
  const old = await openMigrated(path, MIGRATIONS.slice(0, 3));
  const insert = old.prepare(
    `INSERT INTO scans (scan_id, tenant, trace_id, request, request_hash, engine, pool, priority, state, rank, bound, epoch,
       created_at, queued_at, started_at, finished_at, event_seq, origin)
     VALUES (?, 'local', '', '{}', '', 'nmap', 'nmap', 5, ?, 0, '', ?, 1, 1, 1, 2, 1, ?)`,
  );
  insert.run('scan_a', 'completed', 2, 'run');
  insert.run('scan_b', 'failed', 1, 'run');
  insert.run('scan_c', 'completed', 1, 'imported');
  old.close();
  const { queue, operations } = await openSqliteQueue({
    folder,
    clock: fakeClock(),
    settings: SETTINGS,
    isAlive: () => true,
  });
  try {
    await queue.submit(newScan());
    expect(await operations.counters()).toMatchObject({
      submitted: [{ pool: 'nmap', count: 3 }],
      started: [{ pool: 'nmap', count: 3 }],
      finished: [
        { pool: 'nmap', state: 'completed', count: 1 },
        { pool: 'nmap', state: 'failed', count: 1 },
      ],
    });
  } finally {
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
