import { variable, type Environment } from '../config/environment.ts';
import { AppError } from '../model/errors.ts';
import { openRegularFile } from '../platform/contained-file.ts';
import type { SecretSource } from '../config/credentials-schema.ts';
import { runSecretCommand } from './secret-command.ts';

/** What is needed to read any secret of a credentials.yaml. */
export interface SecretPlaces {
  readonly env: Environment;
  /** Path of credentials.yaml. */
  readonly file: string;
  readonly signal: AbortSignal;
}

/** An RSA key of 16,384 bits has some 13,000 characters. */
export const MAX_SECRET_BYTES = 16 << 10;

/**
 * The text of one secret, without one newline at its end. Errors name the key of the file and what is wrong, never what
 * the source said: that may be the secret, or lead to it.
 * @param where `<ref>.<key>`
 * @throws AppError config_invalid, credential_unavailable; whatever `signal.reason` is
 */
export async function readSecret(where: string, source: SecretSource, places: SecretPlaces): Promise<string> {
  places.signal.throwIfAborted();
  const bytes = await bytesOf(where, source, places);
  if (bytes.length > MAX_SECRET_BYTES) throw notUsable(where, `is longer than ${MAX_SECRET_BYTES} bytes`);
  const text = textOf(where, bytes).replace(/\r?\n$/, '');
  if (text === '') throw notUsable(where, 'is empty');
  if (text.includes('\0')) throw notUsable(where, 'holds a NUL character');
  return text;
}

async function bytesOf(where: string, source: SecretSource, places: SecretPlaces): Promise<Uint8Array> {
  if (source.env !== undefined) {
    const value = variable(places.env, source.env);
    if (value === undefined) throw notSet(where);
    return Buffer.from(value, 'utf8');
  }
  if (source.file !== undefined) return fileBytes(where, source.file);
  return runSecretCommand(where, source, { ...places, maxBytes: MAX_SECRET_BYTES });
}

async function fileBytes(where: string, path: string): Promise<Uint8Array> {
  const opened = await openRegularFile(path).catch((error: unknown) => {
    // Its message may quote the path, which is nobody's business who only names a credential.
    throw notUsable(where, 'names a file that is not there, is no plain file, or cannot be read by the worker', error);
  });
  try {
    // One more byte than is allowed tells that it is too long.
    const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await opened.handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    await opened.handle.close();
  }
}

function textOf(where: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notUsable(where, 'is not UTF-8 text');
  }
}

/** Secrets are read in workers only, whose environment is that of the server that started them. */
const notSet = (where: string): AppError =>
  new AppError(
    'config_invalid',
    `credentials.yaml: ${where} names an environment variable that is not set in the worker (process ${process.pid}).`,
    {
      hint: `Operator: set it for every server of this data folder, then end that worker with \`${endText(process.pid)}\`: it keeps the environment it was started with, and the next one takes that of the server or shell that starts it. \`scanmux doctor\` sees only its own. Do not retry before.`,
    },
  );

/** Asked to, a worker lets running scans finish or hands them on; Windows has no such request. */
const endText = (pid: number): string => (process.platform === 'win32' ? `taskkill /F /PID ${pid}` : `kill ${pid}`);

export const notUsable = (where: string, why: string, cause?: unknown): AppError =>
  new AppError('config_invalid', `credentials.yaml: ${where} ${why}.`, {
    cause,
    hint: 'Operator: correct it; `scanmux doctor` checks where secrets are. Do not retry.',
  });
