import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSpool } from '../../src/platform/spool.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function all(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** Line separators of Unicode are none of JSON lines. */
const VALUES = [1, 'a\nb\u2028c\u2029\r', { deep: [null, 'é'] }, 'x'.repeat(300)];

describe('a spool', () => {
  it.each([
    ['memory', 1 << 20],
    ['a file', 10],
  ])('gives back what was put into %s, in order, once', async (_where, memoryChars) => {
    const folder = temporaryFolder();
    const spool = createSpool({ memoryChars, folder });
    for (const value of VALUES) await spool.add(value);
    expect(readdirSync(folder)).toHaveLength(memoryChars === 10 ? 1 : 0);
    expect(await all(spool.drain())).toEqual(VALUES);
    expect(await all(spool.drain())).toEqual([]);
    await spool.add('again');
    expect(await all(spool.drain())).toEqual(['again']);
    await spool.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves no file behind when it is closed before it was read', async () => {
    const folder = temporaryFolder();
    const spool = createSpool({ memoryChars: 1, folder });
    await spool.add(VALUES);
    await spool.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives up the rest when its reader stops early, and can be used again', async () => {
    const folder = temporaryFolder();
    const spool = createSpool({ memoryChars: 10, folder });
    for (let number = 0; number < 20_000; number += 1) await spool.add({ number, words: 'some words' });
    for await (const value of spool.drain()) {
      expect(value).toEqual({ number: 0, words: 'some words' });
      break;
    }
    expect(await all(spool.drain())).toEqual([]);
    await spool.add('again');
    expect(await all(spool.drain())).toEqual(['again']);
    await spool.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a report that holds back without end', async () => {
    const spool = createSpool({ memoryChars: 10, fileChars: 100, folder: temporaryFolder() });
    const fill = async (): Promise<void> => {
      for (let at = 0; at < 100; at += 1) await spool.add('0123456789');
    };
    await expect(fill()).rejects.toMatchObject({ code: 'report_unreadable' });
    await spool.close();
  });

  it('says storage_full when its file cannot be written', async () => {
    const spool = createSpool({ memoryChars: 1, folder: join(temporaryFolder(), 'absent') });
    await expect(spool.add(VALUES)).rejects.toMatchObject({
      code: 'storage_full',
      hint: expect.stringContaining('temporary folder'),
    });
    await spool.close();
  });
});
