import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The two folders of one installation, and a third one for floors. */
export interface Installation {
  readonly config: string;
  readonly data: string;
  readonly floor: string;
  /** The arguments that name them. */
  readonly argv: readonly string[];
  /** Writes a file of the config folder. */
  write(name: string, text: string): void;
  remove(): void;
}

export function createInstallation(): Installation {
  const root = mkdtempSync(join(tmpdir(), 'scanmux-bench-'));
  const [config, data, floor] = [join(root, 'config'), join(root, 'data'), join(root, 'floor')] as const;
  for (const folder of [config, data, floor]) mkdirSync(folder, { mode: 0o700 });
  const write = (name: string, text: string): void => writeFileSync(join(config, name), text, { mode: 0o600 });
  write('scanmux.yaml', 'storage_reserve_mb: 0\n');
  return {
    config,
    data,
    floor,
    argv: ['--config', config, '--data', data],
    write,
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }),
  };
}
