import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ExportInput } from '../../model/contract/export.ts';
import { AppError } from '../../model/errors.ts';
import { exitCode } from '../exit-codes.ts';
import { filtersOf, type FilterOptions } from '../filter-options.ts';
import { readInput } from '../input.ts';
import type { Session } from '../session.ts';

export interface ExportOptions extends FilterOptions {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `scanmux export <scan_id>`: a file for people or other tools; where it is, or the file itself with `--out`. */
export const exportScan = (session: Session, scanId: string, options: ExportOptions): Promise<number> =>
  session.withApp(
    async ({ scans }) => {
      const { format, out, json } = options;
      const input = readInput(ExportInput, {
        scan_id: scanId,
        format,
        ...filtersOf(options),
      });
      const made = await scans.exportReport(input, session.ask());
      const { terminal } = session;
      if (out === '-') {
        await pipeline(createReadStream(made.path), process.stdout, { end: false });
        terminal.note(made.summary);
        return exitCode('ok');
      }
      const path = out === undefined ? made.path : await copyTo(made.path, out, options.force === true);
      const told = { ...made, path };
      terminal.out(json === true ? JSON.stringify(told, undefined, 2) : path);
      if (json !== true) terminal.note(`${made.summary} ${made.bytes} bytes, SHA-256 ${made.sha256}.`);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

const FAILURES: Readonly<Record<string, string>> = {
  EEXIST: 'is there already; --force writes over it',
  EISDIR: 'is a folder',
  ENOENT: 'is in a folder that does not exist',
  ENOTDIR: 'is in a folder that does not exist',
  EACCES: 'cannot be written',
  EROFS: 'cannot be written',
};

/** Nothing a person has is written over unasked. @throws AppError invalid_request, storage_full */
async function copyTo(from: string, to: string, isForced: boolean): Promise<string> {
  const target = createWriteStream(to, { flags: isForced ? 'w' : 'wx', mode: 0o600 });
  let isOpen = false;
  target.once('open', () => (isOpen = true));
  try {
    await pipeline(createReadStream(from), target);
    return to;
  } catch (error) {
    if (isOpen && (await lstat(to).catch(() => undefined))?.isFile()) await rm(to, { force: true });
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new AppError('storage_full', `The disk of ${to} is full.`, { cause: error });
    const why = FAILURES[code];
    if (why === undefined) throw error;
    throw new AppError('invalid_request', `--out ${to} ${why}.`, { cause: error, hint: 'Choose another file.' });
  }
}
