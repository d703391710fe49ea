import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { NO_SUPPRESSIONS, type FindingsRef, type FindingsStore } from '../src/findings/findings.ts';
import type { NativeHeader } from '../src/model/native.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Bench } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { createInstallation } from './installation.ts';
import { writeLargeScan } from './large-scan.ts';
import { lineOf, type Line } from './table.ts';

const FORMATS = ['jsonl', 'sarif', 'csv'] as const;
type Format = (typeof FORMATS)[number];

const AT = '2026-11-20T10:00:00.000Z';
const SAMPLE_MS = 20;
const MIB = 2 ** 20;

function exportOf(store: FindingsStore, ref: FindingsRef, format: Format) {
  const { scanId } = ref;
  const scan: NativeHeader['scan'] = {
    scan_id: scanId,
    origin: 'run',
    state: 'completed',
    verdict: 'complete',
    access: 'untrusted',
    targets: ['10.0.0.0/8'],
    created_at: AT,
  };
  const coverage = {
    requested: 1,
    tested: 1,
    partial: 0,
    unreachable: 0,
    not_tested: 0,
    looked_for: [],
    not_looked_for: [],
  };
  const record = { scan, engine: 'bench', coverage, filtered: [], summary: '' };
  const never = new AbortController().signal;
  return store.export(
    { kind: 'findings', format, scanId, ref, record, filter: {}, suppressions: NO_SUPPRESSIONS },
    never,
  );
}

/** The most memory the process held while something ran, in MiB. Threads are part of it. */
async function peakMib(work: () => Promise<unknown>): Promise<number> {
  let peak = process.memoryUsage().rss;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak / MIB;
}

/** The least an export costs: to read as many bytes, hash them and write them. */
const copySide = (path: string, folder: string): Side => {
  const copy = join(folder, 'copy');
  return {
    name: 'copy and hash the same bytes',
    async once() {
      const hash = createHash('sha256');
      const from = createReadStream(path, { highWaterMark: 256 << 10 });
      from.on('data', (chunk) => void hash.update(chunk));
      await pipeline(from, createWriteStream(copy));
    },
    rest: async () => rmSync(copy, { force: true }),
  };
};

/** A whole scan to a file, by a reader thread as in the server. */
export const exports: Bench = async (size) => {
  const installation = createInstallation();
  const exportsFolder = join(installation.data, 'exports');
  const store = createFindingsStore({ log: silentLog, threads: 1, exportsFolder });
  const forget = (): void => rmSync(exportsFolder, { recursive: true, force: true });
  const [few, many] = size === 'full' ? ([50_000, 1_000_000] as const) : ([200, 2_000] as const);
  const lines: Line[] = [];
  try {
    const small = await writeLargeScan(store, join(installation.data, 'small'), few);
    const large = await writeLargeScan(store, join(installation.data, 'large'), many);
    for (const format of FORMATS) {
      const floor = await peakMib(() => exportOf(store, small, format));
      const ours = await peakMib(() => exportOf(store, large, format));
      const { path } = await exportOf(store, large, format);
      const what = `${format}, peak memory of ${many} findings against ${few}`;
      lines.push({ what, measure: 'MiB', floor, ours, ratio: ours / floor });
      const copied = join(installation.floor, 'exported');
      await pipeline(createReadStream(path), createWriteStream(copied));
      const subject: Side = {
        name: `export as ${format}`,
        once: async () => void (await exportOf(store, large, format)),
        rest: async () => forget(),
      };
      forget();
      const sides = { floor: copySide(copied, installation.floor), subject, rounds: 1, perRound: 1, warmUp: 0 };
      lines.push(lineOf(await compare({ name: `${format}, ${many} findings`, ...sides }), 'p50'));
    }
    return lines;
  } finally {
    await store.close();
    installation.remove();
  }
};
