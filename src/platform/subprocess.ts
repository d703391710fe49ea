import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface SubprocessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** On abort the whole group gets `stopSignal`, and SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  readonly stopSignal?: 'SIGINT' | 'SIGTERM';
  readonly graceMs?: number;
  /** Only the last bytes of stderr are kept. Default 16 KiB. */
  readonly stderrBytes?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of stderr, not cleaned. */
  readonly stderr: string;
}

export interface Subprocess {
  readonly pid: number;
  readonly stdout: Readable;
  /** Resolves when the process has ended and stdout is closed. Never rejects. */
  readonly exit: Promise<Exit>;
}

/**
 * Starts a program without a shell, in its own process group, with stdin closed and only the given environment.
 * Rejects (with the system's error, e.g. ENOENT) when it cannot be started.
 */
export async function startSubprocess(
  file: string,
  argv: readonly string[],
  options: SubprocessOptions,
): Promise<Subprocess> {
  options.signal.throwIfAborted();
  const child = spawn(file, [...argv], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    shell: false,
  });
  const exit = exitOf(child, options.stderrBytes ?? 16_384);
  const { stdout } = child;
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} started without a process id`);
  const stop = (): void => void endGroup(pid, options.stopSignal ?? 'SIGTERM', options.graceMs ?? 5_000);
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  void exit.then(() => options.signal.removeEventListener('abort', stop));
  return { pid, stdout, exit };
}

function exitOf(child: ChildProcess, stderrBytes: number): Promise<Exit> {
  let stderr = Buffer.alloc(0);
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-stderrBytes);
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null, stderr: stderr.toString('utf8') }));
    child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr.toString('utf8') }));
  });
}

/** Signals a whole process group; false when there is none (any more). */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  if (process.platform === 'win32') return signal === 0 ? signalProcess(pid, 0) : killTree(pid);
  return signalProcess(-pid, signal);
}

/** Signals one process; false when it is gone or not ours. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // ESRCH: it has ended; EPERM: the id was reused by somebody else's process.
  }
}

/** Windows has no process groups: its own tool ends a process with all its children. */
const killTree = (pid: number): boolean =>
  spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { windowsHide: true }).status === 0;

/** Ends a process group: politely, then for good. Resolves when it is gone or could not be ended in time. */
export async function endGroup(pid: number, politely: NodeJS.Signals, graceMs: number): Promise<boolean> {
  if (!signalGroup(pid, politely)) return true;
  for (let waited = 0; waited < graceMs; waited += 25) {
    await delay(25);
    if (!signalGroup(pid, 0)) return true;
  }
  signalGroup(pid, 'SIGKILL');
  for (let waited = 0; waited < 2_000; waited += 25) {
    await delay(25);
    if (!signalGroup(pid, 0)) return true;
  }
  return false;
}

/**
 * Starts a process that outlives this one: own session, no pipes, output appended to an open file.
 * Resolves to its pid once the system has started it.
 */
export async function startDetached(
  file: string,
  argv: readonly string[],
  { env, cwd, outputFd }: { env: NodeJS.ProcessEnv; cwd: string; outputFd: number },
): Promise<number> {
  const child = spawn(file, [...argv], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', outputFd, outputFd],
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`${file} started without a process id`);
  return child.pid;
}

/** Runs a short program to its end and returns its stdout; undefined when it fails, is missing or takes too long. */
export function outputOf(file: string, argv: readonly string[], timeoutMs: number): string | undefined {
  const { status, stdout } = spawnSync(file, [...argv], {
    timeout: timeoutMs,
    maxBuffer: 4 << 20,
    encoding: 'utf8',
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : undefined;
}
