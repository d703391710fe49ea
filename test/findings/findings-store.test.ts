import fc from 'fast-check';
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FINDINGS_VERSION } from '../../src/findings/layout.ts';
import { AppError } from '../../src/model/errors.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { DEFAULT_QUERY, END, found, openStore, SCAN_ID, stored, tempFolder } from './reports.ts';

const many = (count: number) =>
  Array.from({ length: count }, (_, number) =>
    found({ discriminator: String(number), untrusted: { output: 'some output' } }),
  );

/** Files of a folder that this process has open, also removed ones, as Linux tells; none elsewhere. */
function openFiles(folder: string): { path: string; bytes: number }[] {
  const list = '/proc/self/fd';
  const open = existsSync(list) ? readdirSync(list) : [];
  return open.flatMap((fd) => {
    const link = join(list, fd);
    const bytes = statSync(link, { throwIfNoEntry: false })?.size; // the list itself is closed by now
    const path = bytes === undefined ? '' : readlinkSync(link);
    return path.startsWith(folder) ? [{ path, bytes: bytes ?? 0 }] : [];
  });
}

describe('a findings file', () => {
  it('that is missing is storage_unusable, also for one finding', async () => {
    const store = openStore();
    const file = join(await tempFolder(), 'findings-0.db');
    await expect(store.query({ file, scanId: SCAN_ID }, DEFAULT_QUERY)).rejects.toMatchObject({
      code: 'storage_unusable',
      // Neither a path nor the permissions of a file that is not there.
      message: 'The results of this scan are not on this machine.',
      hint: expect.stringContaining('artefacts.folder on a shared volume'),
    });
    await expect(store.get({ file, scanId: SCAN_ID }, 1)).rejects.toMatchObject({ code: 'storage_unusable' });
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['', 'not a database', 'x'.repeat(10_000)])('that holds %j is storage_unusable', async (content) => {
    const file = join(await tempFolder(), 'findings-0.db');
    await writeFile(file, content);
    await expect(openStore().query({ file, scanId: SCAN_ID }, DEFAULT_QUERY)).rejects.toMatchObject({
      code: 'storage_unusable',
    });
  });

  it('that is some other database is storage_unusable', async () => {
    const file = join(await tempFolder(), 'findings-0.db');
    const db = openDatabase(file, { journal: 'off' });
    db.exec('CREATE TABLE finding (number INTEGER)');
    db.close();
    await expect(openStore().query({ file, scanId: SCAN_ID }, DEFAULT_QUERY)).rejects.toMatchObject({
      code: 'storage_unusable',
    });
  });

  it('of a newer scanmux is data_too_new and stays as it is', async () => {
    const { file } = await stored([found(), END]);
    const db = openDatabase(file, { journal: 'off' });
    db.exec(`PRAGMA user_version = ${FINDINGS_VERSION + 1}`);
    db.close();
    const before = await readFile(file);
    await expect(openStore().query({ file, scanId: SCAN_ID }, DEFAULT_QUERY)).rejects.toMatchObject({
      code: 'data_too_new',
    });
    expect(await readFile(file)).toEqual(before);
  });

  it('that is cut or changed anywhere gives an answer or storage_unusable, never anything else', async () => {
    const { file, folder } = await stored([...many(120), END]);
    const whole = await readFile(file);
    const copy = join(folder, 'copy.db');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 40 }),
        fc.option(fc.nat(whole.length), { nil: undefined, freq: 3 }),
        fc.constantFrom('none' as const, 'rule' as const, 'solution' as const, 'host' as const, 'cve' as const),
        async (changes, length, group_by) => {
          const bytes = Buffer.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          await writeFile(copy, bytes);
          if (length !== undefined) await truncate(copy, length);
          const store = openStore();
          try {
            await store.query(
              { file: copy, scanId: SCAN_ID },
              { ...DEFAULT_QUERY, group_by, detail: 'full', text: 'output' },
            );
            await store.get({ file: copy, scanId: SCAN_ID }, 60);
            await store.looked(copy);
            await store.hosts(copy);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            expect(error).toMatchObject({ code: expect.stringMatching(/^(storage_unusable|data_too_new)$/) });
          } finally {
            await store.close();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is answered again once it was repaired', async () => {
    const { file } = await stored([found(), END]);
    const copy = `${file}.copy`;
    await copyFile(file, copy);
    const store = openStore();
    await writeFile(file, 'broken');
    await expect(store.get({ file, scanId: SCAN_ID }, 1)).rejects.toMatchObject({ code: 'storage_unusable' });
    await copyFile(copy, file);
    expect(await store.get({ file, scanId: SCAN_ID }, 1)).toMatchObject({ finding_id: `${SCAN_ID}.1` });
  });
});

describe('the store', () => {
  it('answers from more files than it keeps open, each with its own findings', async () => {
    const scans = [];
    for (let number = 0; number < 12; number += 1) scans.push(await stored([found({ title: `scan ${number}` }), END]));
    const store = openStore({ maxOpenFiles: 3 });
    for (const [number, { file }] of [...scans.entries(), ...scans.entries()]) {
      expect(await store.get({ file, scanId: SCAN_ID }, 1)).toMatchObject({ title: `scan ${number}` });
    }
  });

  it('lets go of files it does not keep open', async () => {
    const { file } = await stored([...many(30), END]);
    const folder = await tempFolder();
    const store = openStore({ maxOpenFiles: 2 });
    for (let round = 0; round < 60; round += 1) {
      const copy = join(folder, `findings-${round % 20}.db`);
      if (round < 20) await copyFile(file, copy);
      expect((await store.query({ file: copy, scanId: SCAN_ID }, DEFAULT_QUERY)).total).toBe(30);
      await store.query({ file: copy, scanId: SCAN_ID }, { ...DEFAULT_QUERY, group_by: 'host' });
      expect(openFiles(folder).length).toBeLessThanOrEqual(2);
    }
    await store.close();
    expect(openFiles(folder)).toEqual([]);
  });

  it('leaves nothing of an ingest on the disk but the file it made', async () => {
    const { folder, file } = await stored([...many(300), END]);
    expect(await readdir(folder)).toEqual([basename(file)]);
    const held = openFiles(folder).filter(({ path }) => path !== file);
    expect(held.filter(({ bytes }) => bytes > 0)).toEqual([]);
  });

  it('keeps a file open that was removed meanwhile', async () => {
    const { file } = await stored([found(), END]);
    const store = openStore();
    await store.get({ file, scanId: SCAN_ID }, 1);
    await rm(file);
    expect(await store.get({ file, scanId: SCAN_ID }, 1)).toBeDefined();
  });

  it.each([0, 2, -1, 1.5, Number.NaN])('has no finding number %s in a scan with one', async (number) => {
    const { store, file } = await stored([found(), END]);
    expect(await store.get({ file, scanId: SCAN_ID }, number)).toBeUndefined();
  });

  it('answers about a scan without findings', async () => {
    const { query } = await stored([END]);
    const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
    expect(await query()).toEqual({
      total: 0,
      totalUnfiltered: 0,
      bySeverity: none,
      suppressed: none,
      withdrawn: 0,
      findings: [],
      omitted: none,
    });
    expect(await query({ group_by: 'cve' })).toMatchObject({ groups: [], omitted: none });
  });

  it('opens files again after it was closed', async () => {
    const { store, file } = await stored([found(), END]);
    await store.close();
    expect(await store.get({ file, scanId: SCAN_ID }, 1)).toBeDefined();
  });
});
