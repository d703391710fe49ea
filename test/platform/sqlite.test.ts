import {
  existsSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
  openSync,
  writeSync,
  closeSync,
  chmodSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { sqliteFailure } from '../../src/platform/sqlite-failure.ts';
import { openDatabase, type Database } from '../../src/platform/sqlite.ts';
import { startPeer } from './peer.ts';

let folder: string;
let open: Database[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scanmux-sqlite-'));
  open = [];
});

afterEach(() => {
  for (const db of open) db.close();
  rmSync(folder, { recursive: true, force: true });
});

function database(name = 'test.db', options = {}): Database {
  const db = openDatabase(join(folder, name), options);
  open.push(db);
  return db;
}

function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a database', () => {
  it('survives power loss by default: WAL and full synchronous', () => {
    const db = database();
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  });

  it('runs an SQLite without the corruption race of WAL resets between processes', () => {
    const version = String(database().prepare('SELECT sqlite_version() AS version').get()?.['version']);
    const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
    expect(major * 1_000_000 + minor * 1_000 + patch).toBeGreaterThanOrEqual(3_051_003);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), 1e300])(
    'refuses the number %s, which it could not give back as it was',
    (value) => {
      const db = database();
      db.exec('CREATE TABLE t (a)');
      expect(() => db.prepare('INSERT INTO t VALUES (?)').run(value)).toThrow(TypeError);
      expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 0 });
    },
  );

  it.each(['a\0b', '\0', 'x\u{d83d}', '\u{de00}', '\u{de00}\u{d83d}'])(
    'refuses the text %j, which it would cut or change',
    (text) => {
      const db = database();
      db.exec('CREATE TABLE t (a)');
      const insert = db.prepare('INSERT INTO t VALUES (?)');
      expect(() => insert.run(text)).toThrow(TypeError);
      expect(() => db.prepare('SELECT a FROM t WHERE a = ?').get(text)).toThrow(TypeError);
      expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 0 });
    },
  );

  it('gives back every value it takes', () => {
    const db = database();
    const values = [Number.MAX_SAFE_INTEGER, -1, 0.5, 'žluť 𝄞', '', null];
    db.exec('CREATE TABLE t (a)');
    for (const value of values) db.prepare('INSERT INTO t VALUES (?)').run(value);
    expect(
      db
        .prepare('SELECT a FROM t ORDER BY rowid')
        .all()
        .map((found) => found['a']),
    ).toEqual(values);
    expect([...db.prepare('SELECT a FROM t ORDER BY rowid').iterate()].map((found) => found['a'])).toEqual(values);
  });

  it('undoes a write whose body throws, and keeps working', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    const failing = db.write(() => {
      db.exec('INSERT INTO t VALUES (1)');
      throw new AppError('invalid_request', 'no');
    });
    await expect(failing).rejects.toMatchObject({ code: 'invalid_request' });
    await db.write(() => db.exec('INSERT INTO t VALUES (2)'));
    expect(db.prepare('SELECT a FROM t').all()).toEqual([{ a: 2 }]);
  });

  it('is one whole file once it is closed, with nothing left in the log beside it', () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(100_000));
    db.close();
    expect(statSync(db.path).size).toBeGreaterThan(100_000);
    expect(existsSync(`${db.path}-wal`) ? statSync(`${db.path}-wal`).size : 0).toBe(0);
  });

  it('passes an SQL mistake on as it is: that is a defect, not a state of the disk', () => {
    const db = database();
    expect(thrownBy(() => db.prepare('SELEC 1'))).not.toBeInstanceOf(AppError);
    const failing = db.prepare("SELECT json_extract('{', '$')");
    expect(thrownBy(() => failing.all())).toMatchObject({ message: 'malformed JSON' });
    expect(thrownBy(() => failing.all())).not.toBeInstanceOf(AppError);
  });
});

describe('a database that another process has locked', () => {
  it('is waited for while the event loop goes on, and written once it is free', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    const peer = await startPeer('database-peer');
    await peer.ask({ action: 'open', path: db.path });
    await peer.ask({ action: 'lock' });

    let isWritten = false;
    const written = db.write(() => db.exec('INSERT INTO t VALUES (1)')).then(() => (isWritten = true));
    // Each answer needs the event loop; several fit into one wait only when the lock does not stop it.
    for (let i = 0; i < 5; i += 1) expect(await peer.ask({ action: 'ping' })).toEqual({ ok: true });
    expect(isWritten).toBe(false);
    await peer.ask({ action: 'release' });
    await written;
    expect(db.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }]);
  });

  it('lets timers fire however many writes wait, and then takes all of them, past one that fails', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    const peer = await startPeer('database-peer');
    await peer.ask({ action: 'open', path: db.path });
    await peer.ask({ action: 'lock' });

    const numbers = Array.from({ length: 300 }, (_, number) => number);
    const insert = (number: number) => db.write(() => db.prepare('INSERT INTO t VALUES (?)').run(number));
    let settled = 0;
    const written = numbers.slice(0, 150).map((number) => insert(number).finally(() => (settled += 1)));
    const failing = db.write(() => {
      throw new AppError('invalid_request', 'no');
    });
    const refused = expect(failing).rejects.toMatchObject({ code: 'invalid_request' });
    written.push(...numbers.slice(150).map((number) => insert(number).finally(() => (settled += 1))));

    for (let ticks = 0; ticks < 20; ticks += 1) await delay(5);
    expect(settled).toBe(0);
    await peer.ask({ action: 'release' });
    await Promise.all([...written, refused]);
    expect(db.prepare('SELECT a FROM t ORDER BY rowid').all()).toEqual(numbers.map((a) => ({ a })));
  });

  it('is queue_unavailable for who may not wait, and can be read all the while', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    const peer = await startPeer('database-peer');
    await peer.ask({ action: 'open', path: db.path });
    await peer.ask({ action: 'lock' });
    expect(thrownBy(() => db.writeNow(() => 1))).toMatchObject({ code: 'queue_unavailable' });
    expect(db.prepare('SELECT a FROM t').all()).toEqual([]);
  });

  it('is opened by many processes at once without an error, also when it is new', async () => {
    const peers = await Promise.all(Array.from({ length: 4 }, () => startPeer('database-peer')));
    for (let round = 0; round < 20; round += 1) {
      const path = join(folder, `${round}.db`);
      const answers = await Promise.all(peers.map((peer) => peer.ask({ action: 'open', path })));
      expect(answers).toEqual(peers.map(() => ({ ok: true })));
      await Promise.all(peers.map((peer) => peer.ask({ action: 'close' })));
    }
  });

  it('shows what the other process committed', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a)');
    const peer = await startPeer('database-peer');
    await peer.ask({ action: 'open', path: db.path });
    await peer.ask({ action: 'insert', sql: "INSERT INTO t VALUES ('theirs')" });
    expect(db.prepare('SELECT a FROM t').all()).toEqual([{ a: 'theirs' }]);
  });
});

describe('a database that cannot be used', () => {
  it('is storage_full when there is no room, and keeps what was committed', async () => {
    const db = database();
    db.exec('CREATE TABLE t (a); PRAGMA max_page_count = 20');
    db.exec("INSERT INTO t VALUES ('kept')");
    const insert = (): unknown => db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(200_000));
    expect(thrownBy(insert)).toMatchObject({ code: 'storage_full' });
    await expect(db.write(insert)).rejects.toMatchObject({ code: 'storage_full' });
    expect(db.prepare('SELECT a FROM t').all()).toEqual([{ a: 'kept' }]);
  });

  it('is storage_full when its side files find no room, which SQLite does not tell from a broken disk', () => {
    const cannotOpen = Object.assign(new Error('unable to open database file'), { errcode: 14 });
    expect(sqliteFailure(cannotOpen, join(folder, 'test.db'), () => true)).toMatchObject({ code: 'storage_full' });
    expect(sqliteFailure(cannotOpen, join(folder, 'test.db'))).toMatchObject({ code: 'storage_unusable' });
    expect(sqliteFailure(cannotOpen, '/nowhere/test.db')).toMatchObject({ code: 'storage_unusable' });
  });

  it('is storage_unusable when it is some other file', () => {
    writeFileSync(join(folder, 'test.db'), 'this is a letter, not a database '.repeat(200));
    expect(thrownBy(() => database())).toMatchObject({ code: 'storage_unusable' });
  });

  it('is storage_unusable when its pages are damaged, also in the middle of a result', () => {
    const made = database();
    made.exec('CREATE TABLE t (a)');
    for (let i = 0; i < 50; i += 1) made.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(2_000));
    made.close();
    const { size } = statSync(made.path);
    const fd = openSync(made.path, 'r+');
    for (let at = 8_192; at < size; at += 4_096) writeSync(fd, Buffer.alloc(4_096, 0xff), 0, 4_096, at);
    closeSync(fd);
    const db = database();
    expect(thrownBy(() => db.prepare('SELECT a FROM t').all())).toMatchObject({ code: 'storage_unusable' });
    expect(thrownBy(() => [...db.prepare('SELECT a FROM t').iterate()])).toMatchObject({ code: 'storage_unusable' });
  });

  it('is storage_unusable when its folder is missing', () => {
    expect(thrownBy(() => database('missing/test.db'))).toMatchObject({ code: 'storage_unusable' });
  });

  it('is storage_unusable when its folder may not be written, and says what to check', async () => {
    const peer = await startPeer('database-peer');
    chmodSync(folder, 0o500);
    await peer.ask({ action: 'dropRights' });
    const answer = await peer.ask({ action: 'open', path: join(folder, 'test.db') });
    chmodSync(folder, 0o700);
    expect(answer).toMatchObject({ ok: false, code: 'storage_unusable' });
  });

  it('refuses writes when it was opened to be read', () => {
    database().exec('CREATE TABLE t (a)');
    const reader = database('test.db', { readOnly: true });
    expect(thrownBy(() => reader.exec('INSERT INTO t VALUES (1)'))).toMatchObject({ code: 'storage_unusable' });
  });
});
