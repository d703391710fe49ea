import { dirname, isAbsolute } from 'node:path';
import type { Readable } from 'node:stream';
import type { SecretSource } from '../config/credentials-schema.ts';
import type { Environment } from '../config/environment.ts';
import { findProgram } from '../config/find-program.ts';
import { AppError, ERROR_CATALOG } from '../model/errors.ts';
import { startSubprocess, type Subprocess } from '../platform/subprocess.ts';

export const DEFAULT_TIMEOUT_SECONDS = 10;

/** A program that was told to end gets this long before it is killed, and then this long before it is left behind. */
const GRACE_MS = 1_000;

/** What programs that keep secrets need to find their own files; nothing else of the worker's environment. */
const PASSED: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  ...(process.platform === 'win32'
    ? ['SystemRoot', 'SystemDrive', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'TEMP', 'PATHEXT', 'ComSpec']
    : []),
];

interface CommandPlaces {
  readonly env: Environment;
  /** Its folder is the working directory of the program. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/** The program a command names: an absolute path, or a name that is looked for. Undefined when there is none. */
export function commandProgram(name: string, env: Environment): string | undefined {
  if (isAbsolute(name)) return name;
  return /[/\\]/.test(name) ? undefined : findProgram(name, env);
}

/**
 * Runs the program of a secret and gives what it wrote, at most one byte more than `maxBytes`. No shell; what it says on
 * stderr, and how it failed beyond its exit code, is shown to nobody.
 * @throws AppError config_invalid, credential_unavailable; whatever `signal.reason` is
 */
export async function runSecretCommand(
  where: string,
  { command = [], timeout_seconds: seconds = DEFAULT_TIMEOUT_SECONDS, pass_env: more = [] }: SecretSource,
  places: CommandPlaces,
): Promise<Uint8Array> {
  const [name = '', ...argv] = command;
  const program = commandProgram(name, places.env);
  if (program === undefined) throw notStarted(where);
  const over = new AbortController();
  const timeUp = AbortSignal.timeout(seconds * 1_000);
  const signal = AbortSignal.any([places.signal, timeUp, over.signal]);
  try {
    const started = await startSubprocess(program, argv, {
      env: environmentOf(places.env, more),
      cwd: dirname(places.file),
      signal,
      graceMs: GRACE_MS,
      // 0 would mean all of it.
      stderrBytes: 1,
    }).catch(() => undefined);
    places.signal.throwIfAborted();
    if (!started) throw notStarted(where);
    const output = await outputOf(started, signal, places.maxBytes);
    places.signal.throwIfAborted();
    if (timeUp.aborted) throw failed(where, `did not end within ${seconds} s`);
    if (output === 'too long') throw failed(where, `wrote more than ${places.maxBytes} bytes`);
    if (output.code !== 0)
      throw failed(where, `ended with ${output.code === null ? 'a signal' : `code ${output.code}`}`);
    return output.bytes;
  } finally {
    // One that wrote too much is still there.
    over.abort();
  }
}

/** A child of the program may hold its output open for ever: then waiting ends with the signal. */
async function outputOf(
  { stdout, exit }: Subprocess,
  signal: AbortSignal,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; code: number | null } | 'too long'> {
  const given = new Promise<{ bytes: Uint8Array; code: null }>((resolve) => {
    const give = (): void => resolve({ bytes: new Uint8Array(0), code: null });
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  const read = async (): Promise<{ bytes: Uint8Array; code: number | null } | 'too long'> => {
    const bytes = await readUpTo(stdout, maxBytes);
    if (bytes === undefined) return 'too long';
    return { bytes, code: (await exit).code };
  };
  try {
    return await Promise.race([read(), given]);
  } finally {
    stdout.destroy();
  }
}

async function readUpTo(stream: Readable, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > maxBytes) return undefined;
      chunks.push(bytes);
    }
  } catch {
    // Destroyed because the time is over: what came is not used.
  }
  return Buffer.concat(chunks);
}

function environmentOf(env: Environment, more: readonly string[]): Record<string, string> {
  const names = [...PASSED, ...more];
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const notStarted = (where: string): AppError =>
  new AppError('config_invalid', `credentials.yaml: ${where} names a command that cannot be started.`, {
    hint: 'Operator: name an installed program, by its absolute path. Do not retry.',
  });

const failed = (where: string, why: string): AppError =>
  new AppError('credential_unavailable', `credentials.yaml: the command of ${where} ${why}.`, {
    hint: `${ERROR_CATALOG.credential_unavailable.hint} It gets the environment the worker (process ${process.pid}) was started with; a variable that was set since reaches the next worker only.`,
  });
