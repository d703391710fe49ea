import { createHash } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { AppError } from '../model/errors.ts';
import type { Artefact } from '../model/scan.ts';
import { createSecretMask } from '../platform/secret-mask.ts';
import type { ReportSink, ScanFiles } from './artefacts.ts';
import { claimFolder } from './claims.ts';
import { diskFailure } from './disk.ts';
import { sweep, sweepAbandoned } from './sweep.ts';

const RAW_REPORT = 'report.raw';

/**
 * The artefact store in a folder of this machine (or a shared volume).
 * @param reserveBytes What claims leave free on the disk, for running scans.
 */
export function createScanFiles(folder: string, { reserveBytes = 0 }: { reserveBytes?: number } = {}): ScanFiles {
  const attemptFolder = async (scanId: string, epoch: number): Promise<string> => {
    const path = join(folder, scanId, String(epoch));
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const pathOf = (scanId: string, { path }: Artefact): string => join(folder, scanId, ...path.split('/'));
  return {
    attemptFolder,
    pathOf,
    claim: (scanId, bytes) => claimFolder(folder, scanId, bytes + reserveBytes),
    async openReport(scanId, epoch, maxBytes, secrets = []) {
      const path = join(await attemptFolder(scanId, epoch), RAW_REPORT);
      return createReportSink({ path, name: `${epoch}/${RAW_REPORT}`, maxBytes, secrets });
    },
    findingsOf({ scanId, result }) {
      const artefact = result?.artefacts.find(({ kind }) => kind === 'findings');
      return artefact && pathOf(scanId, artefact);
    },
    sweep: (referenced) => sweep(folder, referenced),
    sweepAbandoned: (referenced) => sweepAbandoned(folder, referenced),
  };
}

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
