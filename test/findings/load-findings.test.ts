import { crc32 } from 'node:zlib';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { createOpenFiles } from '../../src/findings/open-files.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import type { Database } from '../../src/platform/sqlite.ts';
import { DEFAULT_QUERY, END, found, openStore, placed, SCAN_ID, stored, stream, tempFolder } from './reports.ts';

const EVENTS = [
  found({ rule_id: 'a', cves: ['CVE-2024-0001'], location: { ip: '10.0.0.1' } }),
  found({ rule_id: 'b', location: { host: 'app.test', port: 443 }, untrusted: { output: 'some words' } }),
  placed('10.0.0.1', 'tested'),
  { kind: 'scope', scope: { families: ['*'] } },
  END,
] satisfies ReportEvent[];

const sealed = () => stored(EVENTS);

/** A file under a name of its own: what is looked at beyond the seal, which any change breaks. */
async function scan() {
  const made = await sealed();
  const file = join(made.folder, 'unsealed.db');
  await copyFile(made.file, file);
  return { ...made, file, ref: { ...made.ref, file } };
}

/** A copy is not needed: the file belongs to the test. */
function edit(file: string, change: (db: Database) => void): void {
  const db = openDatabase(file, { journal: 'off' });
  change(db);
  db.close();
}

const sql = (text: string) => (db: Database) => db.exec(text);

const column = (name: string, values: Uint8Array | Uint32Array | Int32Array | Float64Array) => (db: Database) => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  db.prepare('UPDATE columns SET data = ?, crc32 = ? WHERE name = ?').run(bytes, crc32(bytes), name);
};

const words =
  (first: number, offsets: readonly number[], text: string, bytes = 4) =>
  (db: Database) => {
    db.exec("DELETE FROM words WHERE kind = 'body'");
    const packed = new Uint8Array(Uint32Array.from(offsets).buffer).subarray(0, offsets.length * bytes);
    db.prepare("INSERT INTO words VALUES ('body', ?, ?, ?)").run(first, packed, Buffer.from(text));
  };

describe('a findings file is storage_unusable', () => {
  it.each<[string, (db: Database) => void]>([
    [
      'with another number of findings than its columns have',
      sql("UPDATE meta SET value = '3' WHERE key = 'findings'"),
    ],
    ['with a number of findings that is none', sql("UPDATE meta SET value = 'x' WHERE key = 'findings'")],
    ['without its name', sql("DELETE FROM meta WHERE key = 'engine'")],
    ['without a column', sql("DELETE FROM columns WHERE name = 'port'")],
    ['with a column of text', sql("UPDATE columns SET data = 'xxxxxxxx' WHERE name = 'rule'")],
    ['with a column that is cut', column('print', new Uint8Array(31))],
    ['with a column that is too long', column('host', new Uint32Array(3))],
    ['with a rule that is not there', column('rule', Uint32Array.of(0, 2))],
    ['with a host that is not there', column('host', Uint32Array.of(2, 0))],
    ['with words that are not there', column('body', Uint32Array.of(0, 4_000_000_000))],
    ['with a port that is none', column('port', Int32Array.of(80, 70_000))],
    ['with a severity that is none', column('severity', Uint8Array.of(0, 5))],
    ['with a flag that is none', column('flags', Uint8Array.of(0, 4))],
    ['with a score over 10', column('cvss', Float64Array.of(-1, 10.5))],
    ['with a score that is no number', column('cvss', Float64Array.of(-1, Number.NaN))],
    ['with a probability over 1', column('epss', Float64Array.of(1.5, 0))],
    ['with a name that is not there', column('name', Uint32Array.of(0, 2))],
    ['with a solution that is not there', column('solution', Uint32Array.of(9, 0))],
    ['with a number that was changed', sql("UPDATE columns SET data = zeroblob(8) WHERE name = 'port'")],
    ['with a rule too few', sql('DELETE FROM rule WHERE id = 1')],
    ['with an impossible host id', sql('UPDATE host SET id = 9000000000000000 WHERE id = 1')],
    ['without a table', sql('DROP TABLE rule_name')],
  ])('%s', async (_, change) => {
    const { file, ref } = await scan();
    edit(file, change);
    await expect(openStore().query(ref, DEFAULT_QUERY)).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('of the layout before the first release, and says to scan again', async () => {
    const { file, ref } = await scan();
    edit(file, sql('PRAGMA user_version = 1'));
    await expect(openStore().query(ref, DEFAULT_QUERY)).rejects.toMatchObject({
      code: 'storage_unusable',
      hint: expect.stringMatching(/Run the scan again/),
    });
  });
});

describe('damage beyond the columns is storage_unusable where it is met', () => {
  it.each<[string, (db: Database) => void, object]>([
    ['a rule that is no JSON', sql("UPDATE rule SET json = '{'"), {}],
    ['a rule that does not fit', sql("UPDATE rule SET json = '{}'"), {}],
    ['a finding that is not there', sql('UPDATE body SET id = -1 WHERE id = 0'), {}],
    ['a finding that does not fit', sql("UPDATE body SET json = '[]' WHERE id = 0"), {}],
    ['a CVE of no rule', sql('UPDATE rule_cve SET rule = 9'), { group_by: 'cve' }],
    [
      'a CVE its rule does not know',
      sql("INSERT INTO rule_cve SELECT 'CVE-2024-9999', rule FROM rule_cve"),
      { group_by: 'cve' },
    ],
    ['a group without a text', sql('UPDATE rule_name SET id = -5 WHERE id = 0'), { group_by: 'rule' }],
    ['a text that begins before the one before it', words(0, [5, 0], 'some words'), { text: 'some' }],
    ['a text that begins after the end', words(0, [0, 50], 'some words'), { text: 'some' }],
    ['texts of more findings than there are', words(0, [0, 1, 2], 'some words'), { text: 'some' }],
    ['texts of findings before the first', words(-1, [0, 1], 'some words'), { text: 'some' }],
    ['offsets that are cut', words(0, [0, 1], 'some words', 3), { text: 'some' }],
  ])('%s', async (_, change, query) => {
    const { file, ref } = await scan();
    edit(file, change);
    const asked = openStore().query(ref, { ...DEFAULT_QUERY, ...query });
    await expect(asked).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('a scope, a place and a host that do not fit', async () => {
    const { file } = await scan();
    edit(file, (db) => {
      db.exec(`UPDATE scope SET json = '{"ports": 1}'; UPDATE place SET status = 'fine';
        UPDATE host SET address_key = '4zz' WHERE address_key IS NOT NULL`);
    });
    const store = openStore();
    await expect(store.looked(file)).rejects.toMatchObject({ code: 'storage_unusable' });
    await expect(store.untested(file, 5)).rejects.toMatchObject({ code: 'storage_unusable' });
    await expect(store.hosts(file)).rejects.toMatchObject({ code: 'storage_unusable' });
  });
});

describe('open files', () => {
  const files = (maxColumnBytes: number, maxOpenFiles = 10) => createOpenFiles({ maxOpenFiles, maxColumnBytes });

  it('are closed, the one not used for longest first, when their columns are too large together', async () => {
    const scans = [await scan(), await scan(), await scan()];
    const open = files(300);
    const loaded = [];
    for (const { file } of scans) loaded.push(await open.use(file, (findings) => findings));
    const [first, second, third] = scans.map(({ file }) => file);
    expect(await open.use(third ?? '', (findings) => findings)).toBe(loaded[2]);
    expect(await open.use(first ?? '', (findings) => findings)).not.toBe(loaded[0]);
    expect(await open.use(second ?? '', (findings) => findings)).not.toBe(loaded[1]);
    open.close();
  });

  it('stay open while they are in use, also when others are opened', async () => {
    const scans = [await scan(), await scan()];
    const [first = '', second = ''] = scans.map(({ file }) => file);
    const open = files(1, 1);
    const count = await open.use(first, (a) =>
      open.use(second, (b) => {
        open.close();
        const rows = [a, b].map(({ db }) => Number(db.prepare('SELECT count(*) AS n FROM body').get()?.['n']));
        return rows.reduce((sum, n) => sum + n, 0);
      }),
    );
    expect(count).toBe(4);
  });

  it('larger than the bound are kept for the next question, until another file is asked about', async () => {
    const { file } = await scan();
    const { file: other } = await scan();
    const open = files(1);
    const loaded = await open.use(file, (findings) => findings);
    expect(await open.use(file, (findings) => findings)).toBe(loaded);
    await open.use(other, ({ count }) => expect(count).toBe(2));
    expect(await open.use(file, (findings) => findings)).not.toBe(loaded);
    open.close();
  });

  it('keep the fingerprints they were asked for', async () => {
    const { file, store, ref } = await scan();
    const prints = await files(1_000).use(file, (findings) => Buffer.from(findings.prints()).toString('hex'));
    expect(prints).toBe(`${(await store.get(ref, 1))?.fingerprint}${(await store.get(ref, 2))?.fingerprint}`);
  });
});

describe('a findings file in the folder of an attempt', () => {
  const OTHER = 'scan_zzzzzzzzzzzzzzzzzzzz';

  it.each([
    ['another scan', OTHER, '1'],
    ['another attempt', SCAN_ID, '2'],
  ])('of %s is storage_unusable for every question', async (_what, scanId, epoch) => {
    const { file } = await sealed();
    const folder = join(await tempFolder(), scanId, epoch);
    await mkdir(folder, { recursive: true });
    const moved = join(folder, basename(file));
    await copyFile(file, moved);
    const store = openStore();
    const code = { code: 'storage_unusable', message: expect.stringMatching(/belongs to/) };
    await expect(store.query({ file: moved, scanId }, DEFAULT_QUERY)).rejects.toMatchObject(code);
    await expect(store.get({ file: moved, scanId }, 1)).rejects.toMatchObject(code);
    await expect(store.looked(moved)).rejects.toMatchObject(code);
  });

  it('is read where its scan and attempt are those of the folder, whatever lies above', async () => {
    const { file } = await sealed();
    const folder = join(dirname(file), OTHER, SCAN_ID, '1');
    await mkdir(folder, { recursive: true });
    await copyFile(file, join(folder, basename(file)));
    const { total } = await openStore().query({ file: join(folder, basename(file)), scanId: SCAN_ID }, DEFAULT_QUERY);
    expect(total).toBe(2);
  });
});

/** Two findings files of one attempt, as a crash leaves them when the report was cut the first time. */
async function twoOfOneAttempt() {
  const folder = join(await tempFolder(), SCAN_ID, '1');
  const store = openStore();
  const ingest = async (events: readonly ReportEvent[]) => {
    const input = { scanId: SCAN_ID, epoch: 1, engine: 'baseline', folder, targets: 'as_reported' } as const;
    const { artefact } = await store.ingest({ ...input, events: stream(events) });
    return { file: join(folder, artefact.path), scanId: SCAN_ID };
  };
  return { store, first: await ingest(EVENTS), second: await ingest(EVENTS.slice(1)) };
}

describe('a findings file that is not the one the record names is storage_unusable', () => {
  it('when two files of one attempt changed places', async () => {
    const { store, first, second } = await twoOfOneAttempt();
    expect((await store.query(first, DEFAULT_QUERY)).total).toBe(2);
    expect((await store.query(second, DEFAULT_QUERY)).total).toBe(1);
    const [one, two] = [await readFile(first.file), await readFile(second.file)];
    await writeFile(first.file, two);
    await writeFile(second.file, one);
    const fresh = openStore();
    for (const ref of [first, second]) {
      await expect(fresh.query(ref, DEFAULT_QUERY)).rejects.toMatchObject({
        code: 'storage_unusable',
        message: expect.stringMatching(/not the file it is named after/),
        hint: expect.stringMatching(/restore the file/),
      });
    }
  });

  it('when only words differ', async () => {
    const said = (output: string) => [found({ untrusted: { output } }), END];
    const [one, other] = [await stored(said('one')), await stored(said('two'))];
    await copyFile(other.file, one.file);
    await expect(openStore().query(one.ref, DEFAULT_QUERY)).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('when it lies in the folder of an attempt under a name without a seal', async () => {
    const { first } = await twoOfOneAttempt();
    const renamed = join(dirname(first.file), 'findings-0123456789abcdef.db');
    await copyFile(first.file, renamed);
    const asked = openStore().query({ file: renamed, scanId: SCAN_ID }, DEFAULT_QUERY);
    await expect(asked).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('when it was cut anywhere', async () => {
    const { file, ref } = await sealed();
    const { length } = await readFile(file);
    for (let bytes = length - 1; bytes > 0; bytes -= 16_385) {
      await truncate(file, bytes);
      await expect(openStore().query(ref, DEFAULT_QUERY)).rejects.toMatchObject({ code: 'storage_unusable' });
    }
  });

  it('when facts or columns were changed: whatever bytes flip, no number is ever another one', async () => {
    const { file, ref, store } = await sealed();
    const whole = await readFile(file);
    const numbers = async (asked: typeof store) => {
      const { findings: _, ...page } = await asked.query(ref, { ...DEFAULT_QUERY, detail: 'minimal' });
      const [first, second] = [await asked.get(ref, 1), await asked.get(ref, 2)];
      return { ...page, prints: [first?.fingerprint, second?.fingerprint] };
    };
    const expected = await numbers(store);
    // Pages without anything in them would make most flips harmless.
    const used = [...whole.keys()].filter((at) => whole[at] !== 0);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...used), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ bits;
        await writeFile(file, flipped);
        const found = await numbers(openStore()).catch((error: unknown) => error);
        if (found instanceof Error) {
          refused += 1;
          expect(found).toBeInstanceOf(AppError);
          expect(found).toMatchObject({ code: expect.stringMatching(/^(?:storage_unusable|data_too_new)$/) });
        } else {
          expect(found).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(20);
  });
});
