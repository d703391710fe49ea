import { closeSync, fchownSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '../model/errors.ts';

/** The newest entry, kept outside the database: without it, rows cut off the end would leave a chain that is whole. */
const Head = z.strictObject({ seq: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) });
export type Head = z.infer<typeof Head>;

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** What no permission, and no want of memory or file handles, explains. */
const SOMETHING_ELSE = new Set(['EISDIR', 'ENOTDIR', 'ELOOP']);

/**
 * Undefined when the file is absent; `unreadable` when it holds anything else, which is evidence.
 * @throws AppError storage_unusable when the file could not be looked at: nobody knows then what it holds
 */
export function readHead(path: string): Head | 'unreadable' | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    if (SOMETHING_ELSE.has(code)) return 'unreadable';
    throw new AppError('storage_unusable', `${path} cannot be read (${code}).`, {
      cause: error,
      hint: 'Operator: run scanmux as the owner of the data folder; what is in it must belong to that user.',
    });
  }
  try {
    return Head.safeParse(JSON.parse(text)).data ?? 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Replaces the file whole. Only called under the database's write lock, so heads never go back. */
export function writeHead(path: string, head: Head): void {
  const draft = `${path}.new`;
  try {
    const descriptor = openSync(draft, 'w', 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify(head)}\n`);
      fsyncSync(descriptor);
      giveToOwner(descriptor, dirname(path));
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (cause) {
    throw new AppError(
      ['ENOSPC', 'EDQUOT'].includes(codeOf(cause)) ? 'storage_full' : 'storage_unusable',
      `${path} cannot be written.`,
      { cause },
    );
  }
}

/** Root's commands must not lock out whose data it is; SQLite does the same for the files beside a database. */
function giveToOwner(descriptor: number, folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) fchownSync(descriptor, uid, gid);
}
