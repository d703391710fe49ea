import type { Writable } from 'node:stream';
import { isFor, LOCAL_TENANT } from '../../../model/caller.ts';
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

/**
 * Scans that people launched, in the folders the operator opened to the tenant (`remote_folders`) and in no other.
 * Without any, `local` is told why it sees none; for another tenant there is nothing.
 */
export const createRemoteReports =
  (instance: NessusInstance) =>
  (tenant: string): RemoteReports | undefined => {
    const open = instance.options.remoteFolders.filter(({ tenants }) => isFor(tenants, tenant));
    if (open.length === 0 && tenant !== LOCAL_TENANT) return undefined;
    return remoteReports({ instance, tenant, names: open.map(({ name }) => name) });
  };

/** What a tenant may see of an instance. */
interface Window {
  readonly instance: NessusInstance;
  readonly tenant: string;
  /** Of the folders that are open to it. */
  readonly names: readonly string[];
}

function remoteReports(window: Window): RemoteReports {
  const { instance } = window;
  return {
    list: (signal) =>
      instance.using(async () => {
        const { open, trouble } = await openScans(window, signal);
        const newest = open.toSorted(
          (a, b) => (b.scan.last_modification_date ?? 0) - (a.scan.last_modification_date ?? 0),
        );
        return { scans: newest.slice(0, MOST).map(shown), ...(trouble ? { trouble } : {}) };
      }),
    fetch: (remoteId, report, signal) =>
      instance.using(async () => {
        try {
          return await fetchReport(window, remoteId, report, signal);
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

interface Opened {
  readonly open: readonly OpenScan[];
  /** Names of `remote_folders` that are no folder there. */
  readonly trouble: AppError | undefined;
}

/** @throws AppError config_invalid when no folder is opened: an empty list would hide why */
async function openScans({ instance: { api }, tenant, names }: Window, signal: AbortSignal): Promise<Opened> {
  if (names.length === 0) {
    throw new AppError('config_invalid', 'No folder of this scanner is open: remote_folders is not set.', {
      hint: FOLDERS_HINT,
    });
  }
  const folders = await api.folders(signal);
  const open = new Map(folders.filter(({ name }) => names.includes(name)).map((folder) => [folder.id, folder]));
  const trouble = missingFolders(names, folders, tenant);
  if (open.size === 0) return { open: [], trouble };
  const scans = (await api.scans(signal)).flatMap((scan) => {
    const folder = scan.folder_id === undefined ? undefined : open.get(scan.folder_id);
    return folder ? [{ scan, folder }] : [];
  });
  return { open: scans, trouble };
}

const FOLDERS_HINT =
  'Operator: list the folders whose scans may be imported under remote_folders of this instance in scanners.yaml.';
const NAMES_SHOWN = 20;

function missingFolders(written: readonly string[], folders: readonly Folder[], tenant: string): AppError | undefined {
  const missing = written.filter((name) => !folders.some((folder) => folder.name === name));
  if (missing.length === 0) return undefined;
  const named = (names: readonly string[]): string =>
    names
      .slice(0, NAMES_SHOWN)
      .map((name) => JSON.stringify(cleanLine(name, 60)))
      .join(', ') || 'none';
  // The names of folders are for this machine's own people.
  const missed = `remote_folders names ${named(missing)}, which the scanner does not show to this account.`;
  if (tenant !== LOCAL_TENANT) return new AppError('config_invalid', missed, { hint: FOLDERS_HINT });
  const there = folders.filter(({ type }) => type !== 'trash').map(({ name }) => name);
  return new AppError('config_invalid', `${missed} Folders there: ${named(there)}.`, { hint: FOLDERS_HINT });
}

const shown = ({ scan, folder }: OpenScan): RemoteScan => ({
  remoteId: scan.id,
  name: cleanLine(scan.name, 200),
  folder: cleanLine(folder.name, 200),
  status: cleanLine(scan.status, 40),
  hasReport: isOver(scan.status),
  ...(scan.last_modification_date === undefined ? {} : { modifiedAt: scan.last_modification_date * 1_000 }),
});

async function fetchReport(
  window: Window,
  remoteId: string,
  report: Writable,
  signal: AbortSignal,
): Promise<RawReport> {
  const { api, options, timing } = window.instance;
  const { open, trouble } = await openScans(window, signal);
  const found = open.find(({ scan }) => scan.id === remoteId)?.scan;
  if (!found && trouble) throw trouble;
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
