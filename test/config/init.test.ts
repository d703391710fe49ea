import { readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXAMPLES_FOLDER, initConfig } from '../../src/config/init.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('initConfig', () => {
  it('writes every example of the package, for the owner alone', () => {
    const folder = join(temporaryFolder(), 'config');
    const report = initConfig(folder);
    expect(report).toEqual({
      folder,
      written: readdirSync(EXAMPLES_FOLDER)
        .filter((name) => name.endsWith('.yaml'))
        .toSorted(),
      kept: [],
    });
    expect(report.written).toEqual(expect.arrayContaining(['scanmux.yaml', 'scanners.yaml']));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of report.written) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(EXAMPLES_FOLDER, name)));
    }
  });

  it('never overwrites a file, nor writes through a link', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'scanmux.yaml'), 'mine');
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'scanners.yaml'));
    expect(initConfig(folder).kept).toEqual(['scanmux.yaml', 'scanners.yaml']);
    expect(readFileSync(join(folder, 'scanmux.yaml'), 'utf8')).toBe('mine');
    expect(readdirSync(folder)).not.toContain('elsewhere');
  });

  it('names a folder that cannot be written, with the fix', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => initConfig(join(file, 'config'))).toThrow(
      expect.objectContaining({ code: 'storage_unusable', hint: expect.stringContaining('--config') }),
    );
  });
});
