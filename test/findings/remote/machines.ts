import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ScanFiles } from '../../../src/findings/artefacts.ts';
import { createFindingsStore } from '../../../src/findings/findings-store.ts';
import type { FindingsStore } from '../../../src/findings/findings.ts';
import { openScanFiles, type OpenedScanFiles } from '../../../src/findings/open-scan-files.ts';
import type { OwnedPlace } from '../../../src/findings/owned-place.ts';
import { noCoverage } from '../../../src/model/coverage.ts';
import { newScanId } from '../../../src/model/ids.ts';
import type { Artefact, ScanRecord } from '../../../src/model/scan.ts';
import { address, END, found, placed, stream } from '../reports.ts';

/** A process with a data folder of its own. */
export interface Machine {
  readonly folder: string;
  readonly files: ScanFiles;
  readonly places: readonly OwnedPlace[];
  readonly findings: FindingsStore;
  /** Bytes of all copies it keeps. */
  cached(): number;
}

export interface MachineOptions {
  readonly url: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly cacheBytes?: number;
  readonly reserveBytes?: number;
  /** Another process of the same machine. */
  readonly folder?: string;
}

export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { url, bucket, prefix = 'scanmux', cacheBytes = 2 ** 30, reserveBytes = 0 } = options;
  const folder = options.folder ?? temporaryFolder();
  const s3 = { bucket, prefix, endpoint: url, forcePathStyle: true, cacheBytes };
  return machineOf(folder, await openScanFiles({ dataFolder: folder, reserveBytes, bucket: s3 }));
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-machine-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One whose reports and findings are on a volume that others have, too. */
export async function openOnVolume(sharedFolder: string): Promise<Machine> {
  const folder = temporaryFolder();
  return machineOf(folder, await openScanFiles({ dataFolder: folder, reserveBytes: 0, sharedFolder }));
}

function machineOf(folder: string, { files, places }: OpenedScanFiles): Machine {
  const findings = createFindingsStore({
    whilePresent: files.whilePresent,
    exportsFolder: join(folder, 'exports'),
  });
  onTestFinished(() => findings.close());
  return { folder, files, places, findings, cached: () => bytesIn(join(folder, 'cache')) };
}

function bytesIn(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  } catch {
    return 0;
  }
}

const NEVER = new AbortController().signal;

/** What a scan wrote on one machine, not shared yet. */
export async function runScan(
  { files, findings }: Machine,
  {
    scanId = newScanId(),
    epoch = 1,
    count = 3,
    raw = 'a report',
  }: Partial<Record<'epoch' | 'count', number>> & {
    readonly scanId?: string;
    readonly raw?: string | Buffer;
  } = {},
): Promise<ScanRecord> {
  const sink = await files.openReport(scanId, epoch, 2 ** 30);
  sink.writable.write(raw);
  const { artefact: report } = await sink.close();
  const events = Array.from({ length: count }, (_, at) =>
    found({ rule_id: `rule-${at}`, title: `Weakness ${scanId} ${at}` }),
  );
  const { artefact } = await findings.ingest({
    scanId,
    epoch,
    engine: 'made',
    folder: await files.attemptFolder(scanId, epoch),
    targets: [address('10.0.0.1')],
    events: stream([...events, placed('10.0.0.1', 'tested'), END]),
  });
  return recordOf(scanId, [report, { ...artefact, path: `${epoch}/${artefact.path}` }]);
}

export const recordOf = (scanId: string, artefacts: readonly Artefact[]): ScanRecord => ({
  scanId,
  tenant: 'local',
  traceId: '0'.repeat(32),
  request: {
    access: 'untrusted',
    targets: ['10.0.0.1'],
    pool: 'made',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 1,
  },
  requestHash: '0'.repeat(64),
  engine: 'made',
  origin: 'run',
  state: 'completed',
  epoch: 1,
  attempt: 1,
  createdAt: 0,
  cancelRequested: false,
  result: {
    verdict: 'complete',
    coverage: { ...noCoverage(1), tested: 1, not_tested: 0 },
    findings: 3,
    by_severity: { critical: 0, high: 0, medium: 3, low: 0, info: 0 },
    artefacts: [...artefacts],
  },
});

export const share = ({ files }: Machine, { scanId, result }: ScanRecord): Promise<void> =>
  files.share(scanId, result?.artefacts ?? [], NEVER);

/** Runs a scan and shares it. */
export async function finishScan(machine: Machine, over: Parameters<typeof runScan>[1] = {}): Promise<ScanRecord> {
  const scan = await runScan(machine, over);
  await share(machine, scan);
  return scan;
}

/** Titles of its findings, as this machine reads them. */
export async function titlesOn({ files, findings }: Machine, scan: ScanRecord): Promise<string[]> {
  const file = files.findingsOf(scan) ?? '';
  const query = { group_by: 'none', detail: 'summary', sort: 'host', max_tokens: 4_000 } as const;
  const page = await findings.query({ file, scanId: scan.scanId }, query);
  return (page.findings ?? []).map(({ title }) => String(title));
}

export const rawOf = (scan: ScanRecord): Artefact => {
  const raw = scan.result?.artefacts.find(({ kind }) => kind === 'raw_report');
  if (!raw) throw new Error('no raw report');
  return raw;
};
