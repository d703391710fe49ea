import { randomBytes } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../model/errors.ts';
import { readJsonLines } from './json-lines.ts';

/** Values that wait: first in, first out. They come back as JSON keeps them. */
export interface Spool {
  add(value: unknown): Promise<void>;
  /** Gives what was added so far and forgets it. */
  drain(): AsyncGenerator<unknown, void, undefined>;
  /** Removes its file, if there is one. Always to be called. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  /** Kept in memory, in UTF-16 units; more goes to a file. Default 4 Mi. */
  readonly memoryChars?: number;
  /** Of the file, in UTF-16 units. Default 8 Gi. */
  readonly fileChars?: number;
  readonly folder?: string;
}

const PIECE_BYTES = 64 << 10;

/**
 * Holds items of a report that can only be understood with what comes after them, in flat memory: a report is a stream
 * and cannot be read twice.
 * @throws AppError storage_full when the temporary folder has no room, report_unreadable beyond the bound
 */
export function createSpool({
  memoryChars = 4 << 20,
  fileChars = 8 * 2 ** 30,
  folder = tmpdir(),
}: SpoolOptions = {}): Spool {
  let texts: string[] = [];
  let chars = 0;
  let written = 0;
  let file: FileHandle | undefined;
  const path = join(folder, `scanmux-spool-${randomBytes(8).toString('hex')}.tmp`);

  const flush = async (): Promise<void> => {
    if (texts.length === 0) return;
    try {
      file ??= await open(path, 'wx+', 0o600);
      await file.appendFile(`${texts.join('\n')}\n`);
    } catch (cause) {
      throw new AppError('storage_full', 'The temporary folder has no room for a report that is being read.', {
        hint: 'Operator: free disk space in the temporary folder (TMPDIR), or let TMPDIR name another folder.',
        cause,
      });
    }
    written += chars;
    texts = [];
    chars = 0;
    if (written > fileChars) throw new AppError('report_unreadable', 'The report holds back too much until its end.');
  };

  const discard = async (): Promise<void> => {
    await file?.close();
    if (file) await rm(path, { force: true });
    file = undefined;
    written = 0;
  };

  return {
    async add(value) {
      const text = JSON.stringify(value);
      texts.push(text);
      chars += text.length;
      if (chars > memoryChars) await flush();
    },
    async *drain() {
      if (file) {
        await flush();
        try {
          for await (const lines of readJsonLines(bytesOf(file), { what: 'held report', maxLineBytes: 1 << 30 }))
            for (const { value } of lines) yield value;
        } finally {
          // Also when the reader stops early: what it did not take is given up.
          await discard();
        }
        return;
      }
      const held = texts;
      texts = [];
      chars = 0;
      for (const text of held) yield JSON.parse(text);
    },
    close: discard,
  };
}

/** Read by position: a stream would close the file when it is left early. */
async function* bytesOf(file: FileHandle): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
