import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findProgram } from '../../src/config/find-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

function program(folder: string, mode = 0o755): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'tool');
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

describe('findProgram', () => {
  it('takes the first on PATH, then the usual folders', () => {
    const folder = temporaryFolder();
    const [first, second] = ['one', 'two'].map((name) => program(join(folder, name)));
    const PATH = ['none', 'one', 'two'].map((name) => join(folder, name)).join(delimiter);
    expect(findProgram('tool', { PATH }, [])).toBe(first);
    expect(findProgram('tool', { PATH: '' }, [join(folder, 'two')])).toBe(second);
    expect(findProgram('tool', {}, [])).toBeUndefined();
  });

  it('ignores relative entries of PATH, which are folders of whatever repository is open', () => {
    const folder = temporaryFolder();
    program(folder);
    program(join(folder, 'bin'));
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(folder);
    expect(findProgram('tool', { PATH: ['.', '', 'bin', './bin'].join(delimiter) }, [])).toBeUndefined();
  });

  it('ignores the folders that npx adds to PATH', () => {
    const bin = join(temporaryFolder(), 'node_modules', '.bin');
    program(bin);
    expect(findProgram('tool', { PATH: bin }, [])).toBeUndefined();
  });

  it('ignores folders and files that cannot be run', () => {
    const folder = temporaryFolder();
    program(join(folder, 'text'), 0o644);
    mkdirSync(join(folder, 'folder', 'tool'), { recursive: true });
    const PATH = [join(folder, 'text'), join(folder, 'folder')].join(delimiter);
    expect(findProgram('tool', { PATH }, [])).toBeUndefined();
  });
});
