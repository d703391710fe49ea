import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openContained, openRegularFile } from '../../src/platform/contained-file.ts';

describe('a file in one of the folders', () => {
  let root: string;
  let folder: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'scanmux-contained-')));
    folder = join(root, 'reports');
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'a.xml'), 'inside');
    writeFileSync(join(folder, 'deep', 'b.xml'), 'deep');
    writeFileSync(join(root, 'secret'), 'outside');
    mkdirSync(join(root, 'reports-2'));
    writeFileSync(join(root, 'reports-2', 'c.xml'), 'sibling');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const read = async (path: string, folders: readonly string[] = [folder]): Promise<string> => {
    const { handle, bytes, name } = await openContained(path, folders);
    try {
      const text = await handle.readFile('utf8');
      expect(bytes).toBe(text.length);
      expect(name).toMatch(/^[\w.]+$/);
      return text;
    } finally {
      await handle.close();
    }
  };

  it('is opened by its absolute path, or relative to the first folder that has it', async () => {
    expect(await read(join(folder, 'a.xml'))).toBe('inside');
    expect(await read('a.xml')).toBe('inside');
    expect(await read('deep/../deep/b.xml')).toBe('deep');
    expect(await read('c.xml', [folder, join(root, 'reports-2')])).toBe('sibling');
    expect(await read('a.xml', [join(root, 'missing'), folder])).toBe('inside');
  });

  it('may be reached by links that stay inside, and in a folder that is a link itself', async () => {
    symlinkSync(join(folder, 'a.xml'), join(folder, 'link.xml'));
    symlinkSync(folder, join(root, 'door'));
    expect(await read('link.xml')).toBe('inside');
    expect(await read('a.xml', [join(root, 'door')])).toBe('inside');
    expect(await read(join(folder, 'a.xml'), [join(root, 'door')])).toBe('inside');
  });

  it.each([
    ['a path outside', () => join(root, 'secret')],
    ['a path outside that does not exist', () => join(root, 'nothing')],
    ['a step up', () => '../secret'],
    ['a step up on the way', () => 'deep/../../secret'],
    ['a sibling whose name begins alike', () => join(root, 'reports-2', 'c.xml')],
    ['the folder itself', () => folder],
    ['another file by /proc', () => '/proc/self/environ'],
    [
      'a link to a file outside',
      () => {
        symlinkSync(join(root, 'secret'), join(folder, 'out'));
        return 'out';
      },
    ],
    [
      'a link to a folder outside',
      () => {
        symlinkSync(root, join(folder, 'up'));
        return 'up/secret';
      },
    ],
  ])('is not %s', async (_, make) => {
    await expect(read(make())).rejects.toMatchObject({
      code: 'forbidden',
      hint: expect.stringMatching(/import_folders/),
    });
  });

  it.each([
    ['nothing', () => 'missing.xml'],
    ['a folder', () => 'deep'],
    ['a link into nothing', () => (symlinkSync(join(folder, 'x'), join(folder, 'dangling')), 'dangling')],
    ['a path with a NUL', () => 'a\0.xml'],
  ])('is not %s', async (_, make) => {
    await expect(read(make())).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.skipIf(process.platform === 'win32')('is no pipe, and one that nobody writes to holds nothing up', async () => {
    execFileSync('/usr/bin/mkfifo', [join(folder, 'pipe')]);
    await expect(read('pipe')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('stays the file that was opened when another takes its place', async () => {
    const { handle } = await openContained('a.xml', [folder]);
    renameSync(join(root, 'secret'), join(folder, 'a.xml'));
    expect(await handle.readFile('utf8')).toBe('inside');
    await handle.close();
  });

  it('never is one outside, while somebody swaps a folder for a link', async () => {
    const [real, link] = [join(folder, 'deep'), join(root, 'elsewhere')];
    mkdirSync(link);
    writeFileSync(join(link, 'b.xml'), 'outside');
    let isOver = false;
    const swapping = (async () => {
      while (!isOver) {
        renameSync(real, join(root, 'kept'));
        symlinkSync(link, real);
        await new Promise(setImmediate);
        rmSync(real);
        renameSync(join(root, 'kept'), real);
        await new Promise(setImmediate);
      }
    })();
    const seen = new Set<string>();
    for (let n = 0; n < 200; n += 1) seen.add(await read('deep/b.xml').catch(({ code }: { code: string }) => code));
    isOver = true;
    await swapping;
    expect(seen).not.toContain('outside');
    expect(relative(folder, real)).toBe('deep');
  });

  it('may be any regular file for a person on the command line', async () => {
    const { handle, name } = await openRegularFile(join(root, 'secret'));
    expect([await handle.readFile('utf8'), name]).toEqual(['outside', 'secret']);
    await handle.close();
    await expect(openRegularFile(join(root, 'none'))).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(openRegularFile(root)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
