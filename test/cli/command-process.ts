import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What users run; `npm test` builds it first. */
export const MAIN = resolve('dist/cli/main.js');

/** Folders of one test, and how to run scanmux on them. */
export interface Place {
  readonly folder: string;
  readonly config: string;
  readonly data: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the detached worker of these folders, if one runs, and removes them. */
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
  return {
    folder,
    config,
    data,
    env,
    async clean() {
      // A worker that still runs ends by itself soon after its last scan; its own bound is the idle time above.
      await workerGone({ folder, config, data, env, clean: () => Promise.resolve() });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until no worker serves the folders, as `doctor` tells it. Bounded. */
async function workerGone(place: Place): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const { stdout } = await runCommand(place, ['doctor', '--json']);
    if (!/"said": "runs \(process/.test(stdout)) return;
  }
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
