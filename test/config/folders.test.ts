import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFolder, dataFolder, prepareDataFolder } from '../../src/config/folders.ts';
import { temporaryFolder } from './temporary-folder.ts';

const linux = { platform: 'linux', home: '/home/u' } as const;

describe('folders', () => {
  it('follow the XDG rules on Linux, where a relative value is ignored', () => {
    expect(configFolder({ ...linux, env: {} })).toBe('/home/u/.config/scanmux');
    expect(dataFolder({ ...linux, env: {} })).toBe('/home/u/.local/share/scanmux');
    const env = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: './here' };
    expect(configFolder({ ...linux, env })).toBe('/c/scanmux');
    expect(dataFolder({ ...linux, env })).toBe('/home/u/.local/share/scanmux');
  });

  it('follow the customs of macOS and Windows', () => {
    const mac = { platform: 'darwin', home: '/Users/u', env: {} } as const;
    expect(configFolder(mac)).toBe('/Users/u/Library/Application Support/scanmux');
    expect(dataFolder(mac)).toBe('/Users/u/Library/Application Support/scanmux/data');
    const windows = { platform: 'win32', home: '/u', env: { APPDATA: '/roaming', LOCALAPPDATA: '/local' } } as const;
    expect(configFolder(windows)).toBe('/roaming/scanmux');
    expect(dataFolder(windows)).toBe('/local/scanmux');
  });

  it('come from the flag first, which may be relative, then from the variable', () => {
    const env = { SCANMUX_CONFIG_DIR: '/from/env', SCANMUX_DATA_DIR: '/data/env' };
    expect(configFolder({ ...linux, env, flag: 'typed' })).toBe(resolve('typed'));
    expect(dataFolder({ ...linux, env, flag: '/typed' })).toBe('/typed');
    expect(configFolder({ ...linux, env })).toBe('/from/env');
    expect(dataFolder({ ...linux, env })).toBe('/data/env');
  });

  it('are never relative to the working directory by a variable, which a hostile folder could use', () => {
    expect(() => configFolder({ ...linux, env: { SCANMUX_CONFIG_DIR: 'config' } })).toThrow(
      /SCANMUX_CONFIG_DIR: must be an absolute path/,
    );
    expect(() => dataFolder({ ...linux, env: { SCANMUX_DATA_DIR: '~/x' } })).toThrow(/SCANMUX_DATA_DIR/);
    expect(dataFolder({ ...linux, env: { SCANMUX_DATA_DIR: '' } })).toBe('/home/u/.local/share/scanmux');
  });
});

describe('the data folder', () => {
  const mode = (path: string): number => statSync(path).mode & 0o777;

  it('is made with its parents, for its owner alone, and left without traces', () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    prepareDataFolder(folder);
    prepareDataFolder(folder);
    expect(mode(folder)).toBe(0o700);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is closed to others when it is there and empty', () => {
    const folder = join(temporaryFolder(), 'mounted');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    prepareDataFolder(folder);
    expect(mode(folder)).toBe(0o700);
  });

  it('keeps its mode when it has content, unless everybody may write to it', () => {
    const folder = join(temporaryFolder(), 'used');
    mkdirSync(folder);
    writeFileSync(join(folder, 'x'), '');
    chmodSync(folder, 0o755);
    prepareDataFolder(folder);
    expect(mode(folder)).toBe(0o755);
    chmodSync(folder, 0o777);
    expect(() => prepareDataFolder(folder)).toThrow(
      expect.objectContaining({ code: 'storage_unusable', hint: expect.stringContaining(`chmod 700 ${folder}`) }),
    );
  });

  it.runIf(process.platform === 'linux')('that nobody can make is named too, instead of being tried for ever', () => {
    expect(() => prepareDataFolder('/proc/scanmux/data')).toThrow(
      expect.objectContaining({ code: 'storage_unusable' }),
    );
  });

  it('that cannot be made is named with the fix', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const folder = join(file, 'data');
    expect(() => prepareDataFolder(folder)).toThrow(
      expect.objectContaining({
        code: 'storage_unusable',
        message: `The data folder ${folder} cannot be made or written (ENOTDIR).`,
        hint: expect.stringContaining('SCANMUX_DATA_DIR'),
      }),
    );
  });
});
