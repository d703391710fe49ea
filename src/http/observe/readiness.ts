import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorFacts } from '../../model/errors.ts';
import type { HttpDeps } from '../deps.ts';
import type { ScannerPools } from './scanner-pools.ts';
import { withinMs } from './within.ts';

/** Less than the time limit that probes have by habit. */
const PATIENCE_MS = 2_000;

export type ReadinessDeps = Pick<HttpDeps, 'queue' | 'log' | 'closing'> & {
  readonly dataFolder: string;
  readonly scanners: ScannerPools;
};

/** `ok`, or why not, in words that tell a stranger nothing about paths and addresses. */
export interface ReadinessReport {
  readonly status: 'ready' | 'not_ready';
  readonly parts: Readonly<Record<'process' | 'queue' | 'data_folder' | 'scanners', string>>;
}

/** Says whether this server can serve. What is wrong in detail is in the log. */
export function createReadiness(deps: ReadinessDeps): () => Promise<ReadinessReport> {
  let looking: Promise<ReadinessReport> | undefined;
  return () => {
    // Everybody may ask, as often as they like: many questions at once are one look.
    looking ??= look(deps).finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

async function look({ queue, log, dataFolder, scanners, closing }: ReadinessDeps): Promise<ReadinessReport> {
  const part = async (name: string, work: () => Promise<unknown>): Promise<string> => {
    try {
      await withinMs(PATIENCE_MS, work());
      return 'ok';
    } catch (error) {
      log.warn({ err: error, part: name }, 'not ready');
      return name === 'queue' ? errorFacts(error).code : 'not writable';
    }
  };
  const [queuePart, dataPart] = await Promise.all([
    part('queue', () => queue.readiness()),
    part('data_folder', () => writeSomething(dataFolder)),
  ]);
  const parts = {
    process: closing.aborted ? 'stopping' : 'ok',
    queue: queuePart,
    data_folder: dataPart,
    scanners: scannersPart(scanners),
  };
  const isReady = Object.values(parts).every((state) => state === 'ok');
  return { status: isReady ? 'ready' : 'not_ready', parts };
}

/** A broken file beside pools that are in force changes nothing for callers: alerts tell of it, this does not. */
const scannersPart = (scanners: ScannerPools): string =>
  scanners.status().lastError !== undefined && scanners.pools().length === 0 ? 'config_invalid' : 'ok';

let writes = 0;

/** A byte reaches the disk's free space check as well: an empty file fits on a full one. */
async function writeSomething(folder: string): Promise<void> {
  writes += 1;
  const file = join(folder, `.ready-${process.pid}-${writes}`);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.write('\n');
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
