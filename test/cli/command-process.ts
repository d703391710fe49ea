import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { untilGone } from '../processes.ts';

/** What users run; `npm test` builds it first. */
export const MAIN = resolve('dist/cli/main.js');

/** Folders of one test, and how to run scanmux on them. */
export interface Place {
  readonly folder: string;
  readonly config: string;
  readonly data: string;
  readonly env: NodeJS.ProcessEnv;
  /** Waits until the detached worker has ended, which lives a little longer than the command that started it. */
  untilAlone(): Promise<void>;
  /** The same, and removes the folders. */
  clean(): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function createPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-cli-'));
  const config = join(folder, 'config');
  const data = join(folder, 'data');
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    SCANMUX_CONFIG_DIR: config,
    SCANMUX_DATA_DIR: data,
    SCANMUX_WORKER_IDLE_EXIT_SECONDS: '0.1',
  };
  const untilAlone = (): Promise<void> => untilGone(data);
  return {
    folder,
    config,
    data,
    env,
    untilAlone,
    async clean() {
      await untilAlone();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const startCommand = (
  place: Place,
  argv: readonly string[],
  { env = {}, cwd = place.folder }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): ChildProcess =>
  spawn(process.execPath, [MAIN, ...argv], { cwd, env: { ...place.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });

/** Collects what a process says until it ends. */
export function untilEnded(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  return new Promise((resolveEnd) => {
    child.once('close', (code, signal) => resolveEnd({ code, signal, stdout, stderr }));
  });
}

export function runCommand(
  place: Place,
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Ended> {
  const child = startCommand(place, argv, options);
  child.stdin?.end();
  return untilEnded(child);
}
