import { DatabaseSync } from '@photostructure/sqlite';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { CHANGED_SINCE } from '../../src/queue/sqlite/events.ts';
import { openMigrated, userVersion } from '../../src/queue/sqlite/migrate.ts';
import { createQueueOn, createSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/queue/sqlite/schema.ts';
import { openStore, type SqliteQueueDeps } from '../../src/queue/sqlite/store.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

describe('the queue file', () => {
  let folder: string;
  let path: string;
  let clock: ReturnType<typeof fakeClock>;
  const open: ScanQueue[] = [];
  beforeEach(() => {
    folder = newFolder();
    path = join(folder, 'queue.db');
    clock = fakeClock();
  });
  afterEach(async () => {
    for (const queue of open.splice(0)) await queue.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const deps = (over: Partial<SqliteQueueDeps> = {}): SqliteQueueDeps => ({
    folder,
    clock,
    settings: SETTINGS,
    isAlive: () => true,
    ...over,
  });
  const openQueue = async (over: Partial<SqliteQueueDeps> = {}): Promise<ScanQueue> => {
    const queue = await createSqliteQueue(deps(over));
    open.push(queue);
    return queue;
  };
  const edit = (sql: string): void => {
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
  };
  const close = async (): Promise<void> => {
    for (const queue of open.splice(0)) await queue.close();
  };

  it('is readable by its owner alone, as is its folder', async () => {
    const queue = await openQueue();
    await queue.submit(newScan());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder).filter((file) => file.startsWith('queue.db'))) {
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('keeps scans over a restart', async () => {
    const { scan } = await (await openQueue()).submit(newScan());
    await close();
    expect(await (await openQueue()).get('local', scan.scanId)).toEqual(scan);
  });

  it('opens in many handles at once, the schema made once', async () => {
    const queues = await Promise.all(Array.from({ length: 8 }, () => openQueue()));
    await Promise.all(queues.map((queue) => queue.submit(newScan())));
    expect((await queues[0]?.list('local', { limit: 1 }))?.total).toBe(8);
  });

  it('is refused as data_too_new, byte for byte untouched, when a newer scanmux wrote it', async () => {
    await openQueue();
    await close();
    edit(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    const before = readFileSync(path);
    await expect(openQueue()).rejects.toMatchObject({ code: 'data_too_new' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('is no longer written by a running older program once a newer one has migrated it', async () => {
    const queue = await openQueue();
    edit(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'data_too_new' });
    expect((await queue.list('local', { limit: 1 })).total).toBe(0);
  });

  it.each([
    ['text', () => writeFileSync(path, 'this is not a database at all, but text of some length'.repeat(40))],
    ['a database of another program', () => edit('CREATE TABLE theirs (x); PRAGMA user_version = 1')],
    ['a folder', () => mkdirSync(path)],
  ])('is refused as storage_unusable when it is %s', async (_, damage) => {
    damage();
    await expect(openQueue()).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('is refused as storage_unusable when part of it is missing', async () => {
    const queue = await openQueue();
    for (let n = 0; n < 50; n++) await queue.submit(newScan());
    await close();
    edit('PRAGMA wal_checkpoint(TRUNCATE)');
    truncateSync(path, 4096 * 3);
    await expect(openQueue()).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it.each([
    ['NFS', 0x6969],
    ['CIFS', 0xff534d42],
    ['CIFS', -0xacb2be], // the same as a signed 32-bit number
    ['FUSE', 0x65735546],
  ])('is refused on %s (%i), where locks do not hold', async (name, type) => {
    await expect(openQueue({ fileSystemType: () => type })).rejects.toMatchObject({
      code: 'storage_unusable',
      message: expect.stringContaining(name),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  describe('migration', () => {
    const steps = ['CREATE TABLE one (x TEXT) STRICT', "INSERT INTO one VALUES ('kept')"];
    const rows = (file: string): unknown => {
      const db = new DatabaseSync(file, { readOnly: true });
      const found = db.prepare('SELECT x FROM one').all().length;
      db.close();
      return found;
    };
    beforeEach(() => writeFileSync(path, ''));

    it('copies the file first and then takes all steps in one transaction', async () => {
      (await openMigrated(path, steps)).close();
      const db = await openMigrated(path, [...steps, "INSERT INTO one VALUES ('new')"]);
      expect(userVersion(db)).toBe(3);
      db.close();
      expect([rows(path), rows(`${path}.v2`)]).toEqual([2, 1]);
      expect(statSync(`${path}.v2`).mode & 0o777).toBe(0o600);
    });

    it('leaves everything as it was when a step fails', async () => {
      (await openMigrated(path, steps)).close();
      const broken = [...steps, "INSERT INTO one VALUES ('new')", 'nonsense'];
      await expect(openMigrated(path, broken)).rejects.toThrow();
      const db = await openMigrated(path, steps);
      expect(userVersion(db)).toBe(2);
      db.close();
      expect(rows(path)).toBe(1);
    });

    it('is done once when several do it at the same time', async () => {
      (await openMigrated(path, steps)).close();
      const more = [...steps, "INSERT INTO one VALUES ('new')"];
      const opened = await Promise.all([openMigrated(path, more), openMigrated(path, more)]);
      for (const db of opened) db.close();
      expect(rows(path)).toBe(2);
    });

    it('marks the file as ours', async () => {
      const db = await openMigrated(path, steps);
      expect(db.prepare('PRAGMA application_id').get()?.['application_id']).toBe(APPLICATION_ID);
      db.close();
    });
  });

  it('refuses submits below the reserve, and goes on once there is space', async () => {
    let free = 999;
    const queue = await openQueue({ settings: { ...SETTINGS, reserveBytes: 1_000 }, freeBytes: () => free });
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'storage_full', retryable: true });
    free = 1_000;
    clock.advance(1_000);
    expect((await queue.submit(newScan())).deduplicated).toBe(false);
  });

  it('writes a submit whole or not at all when the disk is full, and works again afterwards', async () => {
    const store = await openStore(deps());
    const queue = createQueueOn(store);
    open.push(queue);
    const pages = Number(store.db.prepare('PRAGMA page_count').get()?.['page_count']);
    store.db.exec(`PRAGMA max_page_count = ${pages + 3}`);
    let accepted = 0;
    const fill = async (): Promise<void> => {
      for (; accepted < 1_000; accepted++)
        await queue.submit(newScan({ targets: ['x'.repeat(900)] }, { idempotencyKey: `key-${accepted}` }));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage_full' });
    const count = (sql: string): unknown => store.db.prepare(sql).get()?.['n'];
    for (const sql of [
      'SELECT count(*) AS n FROM scans',
      'SELECT count(*) AS n FROM idempotency',
      'SELECT sum(n) AS n FROM ranks WHERE shift = 99',
    ]) {
      expect([sql, count(sql)]).toEqual([sql, accepted]);
    }
    store.db.exec('PRAGMA max_page_count = 1000000');
    expect((await queue.submit(newScan())).scan.position).toBe(accepted + 1);
  });

  it('keeps nothing of a purged scan but its idempotency key', async () => {
    const store = await openStore(deps());
    const queue = createQueueOn(store);
    open.push(queue);
    await queue.submit(newScan({}, { idempotencyKey: 'key-0001' }));
    clock.advance(SETTINGS.queuedExpiryHours * 3_600_000 + 1);
    await queue.claim('worker', []);
    expect(await queue.purgeDeadLetters('local', clock.now() + 1)).toHaveLength(1);
    const left = ['scans', 'events', 'ranks WHERE shift < 100', 'idempotency'].map(
      (table) => store.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'],
    );
    expect(left).toEqual([0, 0, 0, 1]);
  });

  it('reads only the new events after a ring', async () => {
    const store = await openStore(deps());
    open.push(createQueueOn(store));
    const steps = store.db.prepare(`EXPLAIN QUERY PLAN ${CHANGED_SINCE}`).all(0);
    expect(steps.map((row) => row['detail'])).toContain('SEARCH events USING INTEGER PRIMARY KEY (rowid>?)');
  });

  it('answers hot questions from indexes alone', async () => {
    const store = await openStore(deps());
    open.push(createQueueOn(store));
    const plan = (sql: string): string =>
      store.db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row['detail']))
        .join('; ');
    for (const [sql, index] of [
      [
        `SELECT * FROM scans WHERE state = 'queued' AND bound = '' AND pool = 'p' ORDER BY priority, rank LIMIT 1`,
        'waiting',
      ],
      [`SELECT id, bound FROM scans WHERE held = 1 AND pool = 'p' AND queued_at < 1`, 'held'],
      [`SELECT pool, n FROM ranks WHERE shift = 99`, 'PRIMARY KEY'],
      [
        `SELECT id FROM scans WHERE state = 'queued' AND bound <> '' AND pool = 'p' AND tenant = 't' ORDER BY priority, rank LIMIT 10`,
        'waiting_bound_rank',
      ],
      [`DELETE FROM ranks WHERE n = 0`, 'empty_ranks'],
      [`SELECT pool, instance, count(*) FROM scans WHERE state = 'running' GROUP BY pool, instance`, 'running'],
    ] as const) {
      expect(plan(sql)).toMatch(new RegExp(`(INDEX |USING )${index}`));
      expect(plan(sql)).not.toContain('TEMP B-TREE');
    }
  });
});
