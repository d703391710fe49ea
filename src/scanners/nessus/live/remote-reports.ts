import type { Writable } from 'node:stream';
import { AppError } from '../../../model/errors.ts';
import { cleanLine } from '../../../model/untrusted.ts';
import type { RawReport, RemoteReports, RemoteScan } from '../../scanner.ts';
import type { Folder, ListedScan } from '../api/answers.ts';
import { createReportCopy, endReport } from './copy-report.ts';
import { exportReport } from './export-report.ts';
import type { NessusInstance } from './instance.ts';
import { isOver, shortfallOf } from './remote-state.ts';

/** Newest first; more are not listed. */
const MOST = 5_000;

/** Scans that people launched, in the folders the operator opened (`remote_folders`) and in no other. */
export function createRemoteReports(instance: NessusInstance): RemoteReports {
  return {
    list: (signal) =>
      instance.using(async () => {
        const open = await openScans(instance, signal);
        const newest = open.toSorted(
          (a, b) => (b.scan.last_modification_date ?? 0) - (a.scan.last_modification_date ?? 0),
        );
        return newest.slice(0, MOST).map(shown);
      }),
    fetch: (remoteId, report, signal) =>
      instance.using(async () => {
        try {
          return await fetchReport(instance, remoteId, report, signal);
        } finally {
          await endReport(report);
        }
      }),
  };
}

interface OpenScan {
  readonly scan: ListedScan;
  readonly folder: Folder;
}

async function openScans({ api, options }: NessusInstance, signal: AbortSignal): Promise<readonly OpenScan[]> {
  const names = new Set(options.remoteFolders);
  if (names.size === 0) return [];
  const open = new Map(
    (await api.folders(signal)).filter(({ name }) => names.has(name)).map((folder) => [folder.id, folder]),
  );
  if (open.size === 0) return [];
  return (await api.scans(signal)).flatMap((scan) => {
    const folder = scan.folder_id === undefined ? undefined : open.get(scan.folder_id);
    return folder ? [{ scan, folder }] : [];
  });
}

const shown = ({ scan, folder }: OpenScan): RemoteScan => ({
  remoteId: scan.id,
  name: cleanLine(scan.name, 200),
  folder: cleanLine(folder.name, 200),
  status: cleanLine(scan.status, 40),
  ...(scan.last_modification_date === undefined ? {} : { modifiedAt: scan.last_modification_date * 1_000 }),
});

async function fetchReport(
  instance: NessusInstance,
  remoteId: string,
  report: Writable,
  signal: AbortSignal,
): Promise<RawReport> {
  const { api, options, timing } = instance;
  const found = (await openScans(instance, signal)).find(({ scan }) => scan.id === remoteId)?.scan;
  if (!found) {
    throw new AppError('scan_not_found', 'The scanner has no such scan in the folders that are open for import.', {
      hint: 'Call list_scanners with remote_scans for those there are; remote_folders in scanners.yaml opens folders.',
    });
  }
  if (!isOver(found.status)) throw unfinished(found.status);
  const run = { id: found.id };
  if (!(await exportReport({ api, timing, limitMs: options.exportMs }, run, createReportCopy(report), signal)))
    throw unfinished(found.status);
  const reason = shortfallOf(found.status);
  return reason === undefined ? { whole: true } : { whole: false, reason };
}

const unfinished = (status: string): AppError =>
  new AppError('scan_not_finished', `This scan has no results to fetch yet (${cleanLine(status, 40) || 'no state'}).`, {
    hint: 'Wait until it has ended at the scanner, then import it.',
  });
