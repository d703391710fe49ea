import { createHash } from 'node:crypto';
import { access, mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { AppError } from '../model/errors.ts';
import type { Artefact } from '../model/scan.ts';
import { createSecretMask } from '../platform/secret-mask.ts';
import type { ReportSink, ScanFiles } from './artefacts.ts';
import { claimFolder } from './claims.ts';
import { findingsArtefact, placeOf } from './artefact-place.ts';
import { diskFailure, freeBytes, isMissing } from './disk.ts';
import { removeScanFolders, sweep, sweepAbandoned } from './sweep.ts';

const RAW_REPORT = 'report.raw';

export interface ScanFilesOptions {
  /** What claims leave free on the disk, for running scans. Default 0. */
  readonly reserveBytes?: number;
  /** Other machines write to the folder, too: their processes cannot be asked whether they live. */
  readonly isShared?: boolean;
}

/** The artefact store in a folder of this machine, or of a volume that several share. */
export function createScanFiles(folder: string, options: ScanFilesOptions = {}): ScanFiles {
  const { reserveBytes = 0, isShared = false } = options;
  // A volume that is not mounted must not be taken for one without scans, nor the disk below it for the volume.
  const requireVolume = async (): Promise<void> => {
    if (isShared) await access(folder).catch((error: unknown) => Promise.reject(noVolume(folder, error)));
  };
  const attemptFolder = async (scanId: string, epoch: number): Promise<string> => {
    await requireVolume();
    const path = join(folder, scanId, String(epoch));
    const make = (): Promise<unknown> => mkdir(path, { recursive: true, mode: 0o700 });
    // A sweep may remove the scan's folder, which is empty, before the attempt's is in it.
    await make().catch((error: unknown) => (isMissing(error) ? make() : Promise.reject(error)));
    return path;
  };
  const pathOf = (scanId: string, artefact: Artefact): string => join(folder, ...placeOf(scanId, artefact));
  return {
    attemptFolder,
    pathOf,
    async claim(scanId, bytes) {
      await requireVolume();
      return claimFolder(folder, scanId, bytes + reserveBytes);
    },
    async openReport(scanId, epoch, maxBytes, secrets = []) {
      const path = join(await attemptFolder(scanId, epoch), RAW_REPORT);
      return createReportSink({ path, name: `${epoch}/${RAW_REPORT}`, maxBytes, secrets });
    },
    async share() {
      // Whoever can read the folder can read it already.
    },
    findingsOf(scan) {
      const artefact = findingsArtefact(scan);
      return artefact && pathOf(scan.scanId, artefact);
    },
    whilePresent: (_paths, body) => body(),
    removeScans: (scanIds) => removeScanFolders(folder, scanIds),
    async check() {
      await requireVolume();
      await freeBytes(folder).catch((error: unknown) => {
        if (!isMissing(error)) throw diskFailure(error, folder);
      });
    },
    sweep: (referenced) => sweep({ folder, isShared }, referenced),
    sweepAbandoned: (referenced) => sweepAbandoned({ folder, isShared }, referenced),
  };
}

const noVolume = (folder: string, cause: unknown): AppError =>
  new AppError('storage_unavailable', `The folder of artefacts, ${folder}, is not there.`, {
    cause,
    hint: 'Operator: mount its volume; when this is the first start, make the folder. Then try again.',
  });

interface NewReport {
  readonly path: string;
  /** Relative to the scan's folder. */
  readonly name: string;
  readonly maxBytes: number;
  readonly secrets: readonly string[];
}

function createReportSink({ path, name, maxBytes, secrets }: NewReport): ReportSink {
  const mask = createSecretMask(secrets);
  const hash = createHash('sha256');
  const opening = open(path, 'wx', 0o600);
  let bytes = 0;
  let cutOff = false;
  let failure: unknown;
  const store = async (chunk: Uint8Array): Promise<void> => {
    const kept = chunk.subarray(0, maxBytes - bytes);
    await writeAll(await opening, kept);
    hash.update(kept);
    bytes += kept.length;
    if (kept.length === chunk.length) return;
    cutOff = true;
    throw new AppError('report_unreadable', `The raw report is larger than ${maxBytes} bytes.`);
  };
  const storeThen = (chunk: Uint8Array, done: (error?: Error) => void): void => {
    store(chunk).then(
      () => done(),
      (error: unknown) => {
        if (!cutOff) failure ??= diskFailure(error, path);
        done(error instanceof Error ? error : new Error('write failed', { cause: error }));
      },
    );
  };
  const writable = new Writable({
    write: (chunk: Buffer, _encoding, done) => storeThen(mask ? Buffer.concat(mask.push(chunk)) : chunk, done),
    final: (done) => storeThen(Buffer.concat(mask?.end() ?? []), done),
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
        throw diskFailure(error, path);
      } finally {
        await handle.close();
      }
      return { artefact: { kind: 'raw_report', path: name, bytes, sha256: hash.digest('hex') }, cutOff };
    },
  };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written);
    written += bytesWritten;
  }
}
