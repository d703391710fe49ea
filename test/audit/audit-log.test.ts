import { DatabaseSync } from '@photostructure/sqlite';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuditLog, type AuditLog } from '../../src/audit/audit-log.ts';
import { entryHash, type NewAuditEntry } from '../../src/audit/entry.ts';

const caller = { tenant: 'local', name: 'stdio:test' };
const entry = (scanId: string): NewAuditEntry => ({
  caller,
  action: 'submit',
  decision: 'allowed',
  scanId,
  traceId: 'a'.repeat(32),
  targets: ['10.0.0.1'],
  detail: { pool: 'nmap', priority: 5 },
});

let root: string;
let folder: string;
let now = 0;
const opened: AuditLog[] = [];
const clock = { now: () => now };
async function open(): Promise<AuditLog> {
  const log = await openAuditLog({ folder, clock });
  opened.push(log);
  return log;
}
beforeEach(() => {
  root = folder = mkdtempSync(join(tmpdir(), 'scanmux-audit-'));
  now = Date.parse('2026-06-01T00:00:00Z');
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  rmSync(root, { recursive: true, force: true });
});

/** What somebody with write access to the file would do: the triggers dropped first. */
function tamper(sql: string): void {
  const db = new DatabaseSync(join(folder, 'audit.db'));
  db.exec('DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete; DROP TRIGGER entries_only_at_end;');
  db.exec(sql);
  db.close();
}

async function filled(count: number): Promise<AuditLog> {
  const log = await open();
  for (let number = 1; number <= count; number += 1) await log.append(entry(`scan_${number}`));
  return log;
}

describe('the audit log', () => {
  it('gives back what was written, oldest first, and verifies', async () => {
    const log = await filled(5);
    expect(await log.tail(2)).toMatchObject([
      { seq: 4, at: now, caller, action: 'submit', decision: 'allowed', scanId: 'scan_4', targets: ['10.0.0.1'] },
      { seq: 5, detail: { pool: 'nmap', priority: 5 }, traceId: 'a'.repeat(32) },
    ]);
    expect(await log.verify()).toMatchObject({ ok: true, entries: 5, lastHash: (await log.tail(1))[0]?.hash });
  });

  it('verifies while it is empty', async () => {
    expect(await (await open()).verify()).toMatchObject({ ok: true, entries: 0 });
  });

  it('is one chain over restarts and over processes that write at once', async () => {
    await (await filled(2)).close();
    const logs = await Promise.all([open(), open(), open(), open()]);
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    await Promise.all(logs.flatMap((log, who) => numbers.map((number) => log.append(entry(`scan_${who}_${number}`)))));
    const [log] = logs;
    expect(await log?.verify()).toMatchObject({ ok: true, entries: 202 });
    expect(JSON.parse(readFileSync(join(folder, 'audit.head'), 'utf8'))).toMatchObject({ seq: 202 });
  });

  it('can be made by several processes at once', async () => {
    const logs = await Promise.all(Array.from({ length: 6 }, open));
    await Promise.all(logs.map((log) => log.append(entry('scan_x'))));
    expect(await logs[0]?.verify()).toMatchObject({ ok: true, entries: 6 });
  });

  it('keeps its files to their owner', async () => {
    folder = join(folder, 'new');
    await filled(1);
    for (const name of ['audit.db', 'audit.head']) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('keeps order by number when the clock goes back', async () => {
    const log = await filled(1);
    now -= 3_600_000;
    await log.append(entry('scan_2'));
    expect((await log.tail(10)).map(({ scanId }) => scanId)).toEqual(['scan_1', 'scan_2']);
    expect(await log.verify()).toMatchObject({ ok: true });
  });

  it('makes acting characters visible and survives text that no database keeps', async () => {
    const log = await open();
    const nasty = `a\u001b[31m\nb\u0000\u202e\ud800${'x'.repeat(5_000)}😀`;
    await log.append({
      caller: { tenant: 'local', name: nasty },
      action: 'refuse',
      decision: nasty,
      targets: [nasty, ...Array.from({ length: 1_500 }, () => 'y')],
      detail: { [nasty]: nasty, ['__proto__']: 'z', list: [nasty], odd: Number.NaN },
    });
    // Cut in the middle of a pair of surrogates.
    await log.append({ caller, action: 'refuse', decision: `${'x'.repeat(198)}😀😀` });
    expect(JSON.stringify(await log.tail(1_000))).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect((await log.tail(2))[0]?.targets).toHaveLength(1_001);
    expect(await log.verify()).toMatchObject({ ok: true, entries: 2 });
  });

  it('refuses change, removal and replacement through its own file', async () => {
    await filled(3);
    const db = new DatabaseSync(join(folder, 'audit.db'));
    for (const sql of [
      "UPDATE entries SET decision = 'refused'",
      'DELETE FROM entries WHERE seq = 2',
      'INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 2',
    ]) {
      expect(() => db.exec(sql), sql).toThrow(/append-only/);
    }
    db.close();
  });
});

describe('verify', () => {
  it.each([
    ["UPDATE entries SET decision = 'refused' WHERE seq = 3", 3, /changed/],
    ['UPDATE entries SET at = at + 1 WHERE seq = 1', 1, /changed/],
    ["UPDATE entries SET detail = '{' WHERE seq = 4", 4, /form/],
    ["UPDATE entries SET action = 'nothing' WHERE seq = 4", 4, /form/],
    ['DELETE FROM entries WHERE seq = 3', 3, /missing/],
    ['DELETE FROM entries WHERE seq = 1', 1, /missing/],
    [
      'UPDATE entries SET seq = 99 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 99',
      2,
      /follow/,
    ],
    [
      'INSERT INTO entries SELECT 0, at, tenant, name, action, decision, scan_id, trace_id, targets, detail, prev_hash, hash FROM entries WHERE seq = 1',
      0,
      /before/,
    ],
    [
      'INSERT INTO entries SELECT 6, at, tenant, name, action, decision, scan_id, trace_id, targets, detail, hash, hash FROM entries WHERE seq = 5',
      6,
      /changed/,
    ],
    ['DELETE FROM entries WHERE seq >= 4', 4, /4 to 5 were cut off the end/],
    ['DELETE FROM entries', 1, /1 to 5 were cut off the end/],
  ])('finds %s', async (sql, firstBad, reason) => {
    await (await filled(5)).close();
    tamper(sql);
    const log = await open();
    expect(await log.verify()).toMatchObject({ ok: false, firstBad, reason: expect.stringMatching(reason) });
  });

  it('finds an end that was rewritten with right hashes', async () => {
    const log = await filled(3);
    const [last] = await log.tail(1);
    if (!last) throw new Error('no entry');
    await log.close();
    const hash = entryHash({ ...last, decision: 'refused' });
    tamper(`UPDATE entries SET decision = 'refused', hash = '${hash}' WHERE seq = 3`);
    expect(await (await open()).verify()).toMatchObject({
      ok: false,
      firstBad: 3,
      reason: expect.stringMatching(/audit\.head/),
    });
  });

  it.each([
    ['entries cut off the end', () => tamper('DELETE FROM entries WHERE seq >= 4')],
    ['a missing head', () => rmSync(join(folder, 'audit.head'))],
    ['an unreadable head', () => writeFileSync(join(folder, 'audit.head'), 'x')],
    [
      'a database that was deleted',
      () => ['', '-wal', '-shm'].forEach((end) => rmSync(join(folder, `audit.db${end}`), { force: true })),
    ],
  ])('still finds %s after more was appended', async (_, act) => {
    await (await filled(5)).close();
    act();
    const log = await filled(3);
    expect(await log.verify()).toMatchObject({ ok: false });
    await log.close();
    expect(await (await filled(1)).verify()).toMatchObject({ ok: false });
  });

  it('takes a head that cannot be looked at for no evidence: nothing is written until it can', async () => {
    const log = await filled(1);
    const [head, aside] = [join(folder, 'audit.head'), join(folder, 'aside')];
    renameSync(head, aside);
    // Nobody can follow it, root neither: the name it leads to is too long.
    symlinkSync('h'.repeat(300), head);
    const unknown = { code: 'storage_unusable', message: expect.stringContaining('ENAMETOOLONG') };
    await expect(log.append(entry('scan_2'))).rejects.toMatchObject(unknown);
    await expect(log.verify()).rejects.toMatchObject(unknown);
    renameSync(aside, head);
    expect(await log.verify()).toMatchObject({ ok: true, entries: 1 });
    await log.append(entry('scan_2'));
    expect(await log.verify()).toMatchObject({ ok: true, entries: 2 });
  });

  it('gives the head to the owner of the folder, also when root writes', async () => {
    if (process.getuid?.() === 0) chownSync(folder, 65_534, 65_534);
    await filled(1);
    expect(statSync(join(folder, 'audit.head')).uid).toBe(statSync(folder).uid);
  });

  it('takes a head that a killed process left behind the last entries, and catches it up', async () => {
    await (await filled(2)).close();
    copyFileSync(join(folder, 'audit.head'), join(folder, 'old.head'));
    await (await filled(2)).close();
    copyFileSync(join(folder, 'old.head'), join(folder, 'audit.head'));
    const log = await open();
    expect(await log.verify()).toMatchObject({ ok: true, entries: 4 });
    await log.append(entry('scan_5'));
    expect(await log.verify()).toMatchObject({ ok: true, entries: 5 });
    expect(readFileSync(join(folder, 'audit.head'), 'utf8')).toContain('"seq":5');
  });
});

describe('what is written down for good', () => {
  it('holds no password and no value of a query', async () => {
    const log = await open();
    const targets = ['http://user:pw-1@a.test/', 'user:pw-2@b.test:80', 'http://c.test/x?key=pw-3&q#pw-4', '10.0.0.1'];
    await log.append({ ...entry('scan_1'), targets });
    expect((await log.tail(1))[0]?.targets).toEqual([
      'http://***@a.test/',
      '***@b.test:80',
      'http://c.test/x?key=***&q',
      '10.0.0.1',
    ]);
    expect(await log.verify()).toMatchObject({ ok: true });
  });
});

describe('opening', () => {
  it('touches nothing that a newer program wrote', async () => {
    await (await filled(1)).close();
    const db = new DatabaseSync(join(folder, 'audit.db'));
    db.exec('PRAGMA user_version = 2');
    db.close();
    const before = readFileSync(join(folder, 'audit.db'));
    await expect(open()).rejects.toMatchObject({ code: 'data_too_new' });
    expect(readFileSync(join(folder, 'audit.db'))).toEqual(before);
  });

  it('says what to do about a file that is no database', async () => {
    writeFileSync(join(folder, 'audit.db'), 'this is not a database, it is a text file'.repeat(100));
    await expect(open()).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('says what to do when the folder is in the way', async () => {
    writeFileSync(join(folder, 'file'), '');
    folder = join(folder, 'file', 'data');
    await expect(open()).rejects.toMatchObject({ code: 'storage_unusable', hint: expect.stringContaining('doctor') });
    expect(existsSync(folder)).toBe(false);
  });

  it('leaves the mode of a folder that is there alone', async () => {
    chmodSync(folder, 0o750);
    await open();
    expect(statSync(folder).mode & 0o777).toBe(0o750);
  });
});
