import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { AppError } from '../model/errors.ts';
import { SCAN_ID } from '../model/ids.ts';
import type { Artefact } from '../model/scan.ts';
import type { ReportSink, ScanFiles } from './artefacts.ts';

const RAW_REPORT = 'report.raw';

/** The artefact store in a folder of this machine (or a shared volume). */
export function createScanFiles(folder: string): ScanFiles {
  const attemptFolder = async (scanId: string, epoch: number): Promise<string> => {
    const path = join(folder, scanId, String(epoch));
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const pathOf = (scanId: string, { path }: Artefact): string => join(folder, scanId, ...path.split('/'));
  return {
    attemptFolder,
    pathOf,
    async openReport(scanId, epoch, maxBytes) {
      return createReportSink(join(await attemptFolder(scanId, epoch), RAW_REPORT), `${epoch}/${RAW_REPORT}`, maxBytes);
    },
    findingsOf({ scanId, result }) {
      const artefact = result?.artefacts.find(({ kind }) => kind === 'findings');
      return artefact && pathOf(scanId, artefact);
    },
    sweep: (referenced) => sweep(folder, referenced),
  };
}

function createReportSink(path: string, name: string, maxBytes: number): ReportSink {
  const hash = createHash('sha256');
  let bytes = 0;
  let failure: unknown;
  const file = createWriteStream(path, { mode: 0o600, flags: 'w', flush: true });
  const head = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        done(new AppError('report_unreadable', `The raw report is larger than ${maxBytes} bytes.`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const fail = (error: unknown): void => {
    failure ??= diskError(error);
    file.end();
  };
  head.on('error', fail);
  file.on('error', (error) => {
    failure ??= diskError(error);
    head.destroy();
  });
  head.pipe(file);
  return {
    writable: head,
    async close() {
      if (!head.writableEnded && !head.destroyed) head.end();
      if (head.destroyed && !head.readableEnded) file.end();
      await finished(file).catch(fail);
      if (failure !== undefined) throw failure;
      return { kind: 'raw_report', path: name, bytes, sha256: hash.digest('hex') };
    },
  };
}

const diskError = (error: unknown): unknown =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    ? new AppError('storage_full', 'The disk of the data folder is full.', { cause: error })
    : error;

async function sweep(folder: string, referenced: Parameters<ScanFiles['sweep']>[0]): Promise<number> {
  const scanIds = (await entries(folder)).filter((name) => SCAN_ID.test(name));
  const keep = await referenced(scanIds);
  let removed = 0;
  for (const scanId of scanIds) {
    const epochs = (await entries(join(folder, scanId))).filter((name) => /^\d+$/.test(name));
    const stale = epochs.filter((epoch) => !keep.get(scanId)?.has(Number(epoch)));
    for (const epoch of stale) {
      await rm(join(folder, scanId, epoch), { recursive: true, force: true });
      removed += 1;
    }
    if (stale.length === epochs.length) await rm(join(folder, scanId), { recursive: true, force: true });
  }
  return removed;
}

async function entries(folder: string): Promise<string[]> {
  const known = await stat(folder).catch(() => undefined); // absent before the first scan
  return known?.isDirectory() ? readdir(folder) : [];
}
