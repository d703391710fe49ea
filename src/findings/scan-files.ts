import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
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
  const opening = open(path, 'wx', 0o600);
  let bytes = 0;
  let cutOff = false;
  let failure: unknown;
  const store = async (chunk: Buffer): Promise<void> => {
    const kept = chunk.subarray(0, maxBytes - bytes);
    await writeAll(await opening, kept);
    hash.update(kept);
    bytes += kept.length;
    if (kept.length === chunk.length) return;
    cutOff = true;
    throw new AppError('report_unreadable', `The raw report is larger than ${maxBytes} bytes.`);
  };
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      store(chunk).then(
        () => done(),
        (error: unknown) => {
          if (!cutOff) failure ??= diskError(error);
          done(error instanceof Error ? error : new Error('write failed', { cause: error }));
        },
      );
    },
  });
  // An engine may look away when a write fails; `close` says it all the same.
  writable.on('error', () => undefined);
  return {
    writable,
    async close() {
      if (!writable.writableEnded && !writable.destroyed) writable.end();
      await finished(writable).catch(() => undefined);
      const handle = await opening;
      try {
        if (failure !== undefined) throw failure;
        await handle.sync();
      } catch (error) {
        throw diskError(error);
      } finally {
        await handle.close();
      }
      return { artefact: { kind: 'raw_report', path: name, bytes, sha256: hash.digest('hex') }, cutOff };
    },
  };
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written);
    written += bytesWritten;
  }
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
