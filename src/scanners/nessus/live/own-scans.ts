import type { Details, ListedScan } from '../api/answers.ts';
import type { NessusInstance } from './instance.ts';
import { describes, isMarkerOf, type RemoteRun } from './remote-run.ts';
import { isOver } from './remote-state.ts';

/** More scans of one name than that are somebody's joke. */
const MOST_TWINS = 10;

/**
 * Scans of ours with this name. The name alone is not enough, because anybody may copy it: the description decides, or
 * the owner where that cannot be read.
 */
export async function scansNamed(
  instance: NessusInstance,
  marker: string,
  signal: AbortSignal,
): Promise<readonly ListedScan[]> {
  const named = (await instance.api.scans(signal)).filter(({ name }) => name === marker).slice(0, MOST_TWINS);
  return await ours(instance, named, signal);
}

async function ours(
  instance: NessusInstance,
  named: readonly ListedScan[],
  signal: AbortSignal,
): Promise<readonly ListedScan[]> {
  const own: ListedScan[] = [];
  for (const scan of named) {
    const config = await instance.api.config(scan.id, signal);
    const isOwn =
      config?.description === undefined
        ? await isOfOurAccount(instance, scan, signal)
        : describes(config.description, scan.name);
    if (isOwn) own.push(scan);
  }
  return own;
}

/** What a scan shows that is the account's own (`user_permissions`). */
const OWN = 128;

async function isOfOurAccount(instance: NessusInstance, scan: ListedScan, signal: AbortSignal): Promise<boolean> {
  const name = await instance.owner(signal);
  return name === undefined || scan.owner === undefined ? scan.user_permissions === OWN : scan.owner === name;
}

/** The one to go on with: one that was launched, else the oldest. */
export function foremost(scans: readonly ListedScan[]): ListedScan | undefined {
  const byAge = scans.toSorted((a, b) => Number(a.id) - Number(b.id) || (a.id < b.id ? -1 : 1));
  return byAge.find(({ status }) => status !== 'empty' && status !== '') ?? byAge[0];
}

/** Scans that earlier attempts of the same scan left. */
export async function scansOfAttempts(
  instance: NessusInstance,
  scanId: string,
  signal: AbortSignal,
): Promise<readonly ListedScan[]> {
  const named = (await instance.api.scans(signal)).filter(({ name }) => isMarkerOf(scanId, name));
  return await ours(instance, named.slice(0, MOST_TWINS), signal);
}

/** A server that was set up anew gives old numbers to other scans: nothing is done to one without our marker. */
export async function isOurs(
  instance: NessusInstance,
  { id, marker }: RemoteRun,
  details: Details,
  signal: AbortSignal,
): Promise<boolean> {
  if (details.info.name === marker) return true;
  // Somebody may have renamed it.
  const config = await instance.api.config(id, signal);
  return config?.description !== undefined && describes(config.description, marker);
}

/** Whether a scan was ever launched. */
export const wasLaunched = ({ info, history }: Details): boolean =>
  history.length > 0 || (info.status !== '' && info.status !== 'empty');

/** Our run among those of the scan: the one that was launched by us, else the first. */
export function withHistory(run: RemoteRun, { history, info }: Details): RemoteRun {
  if (run.history_id !== undefined) return run;
  const byUuid = history.find(({ uuid }) => uuid !== undefined && uuid === run.scan_uuid);
  const first = history.toSorted((a, b) => Number(a.history_id) - Number(b.history_id))[0];
  const found = byUuid ?? (run.scan_uuid === undefined ? first : undefined);
  if (!found) return run;
  const uuid = run.scan_uuid ?? found.uuid ?? info.uuid;
  return { ...run, history_id: found.history_id, ...(uuid === undefined ? {} : { scan_uuid: uuid }) };
}

/** Whether a scan of the list still does something. */
export const isActive = ({ status }: ListedScan): boolean => status !== 'empty' && status !== '' && !isOver(status);
