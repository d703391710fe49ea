import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../../model/ids.ts';

/** Exports can always be made again. What is older, or beyond the newest ones, is removed. */
export interface ExportLimits {
  /** Younger ones stay, however many and large they are: whoever asked for one has not read it yet. */
  readonly minAgeMs: number;
  readonly maxAgeMs: number;
  readonly maxFiles: number;
  readonly maxBytes: number;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
export const EXPORT_LIMITS: ExportLimits = {
  minAgeMs: HOUR_MS,
  maxAgeMs: 7 * DAY_MS,
  maxFiles: 200,
  maxBytes: 20 * 2 ** 30,
};
/** Left by a process that was killed. */
const TEMPORARY_MS = DAY_MS;

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly at: number;
}

const isTemporary = (path: string): boolean => path.endsWith('.tmp');

async function filesUnder(root: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const folder of await readdir(root).catch(() => [])) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      if (name.endsWith('.sha256')) continue;
      const path = join(root, folder, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats?.isFile()) found.push({ path, bytes: stats.size, at: stats.mtimeMs });
    }
  }
  return found;
}

/** Which files have to go; `keep` never does. */
function outdated(files: readonly Found[], keep: string, limits: ExportLimits, now: number): Found[] {
  let count = 0;
  let bytes = 0;
  return files
    .toSorted((a, b) => Number(b.path === keep) - Number(a.path === keep) || b.at - a.at)
    .filter((file) => {
      if (isTemporary(file.path)) return now - file.at > TEMPORARY_MS;
      count += 1;
      bytes += file.bytes;
      const isOver = now - file.at > limits.maxAgeMs || count > limits.maxFiles || bytes > limits.maxBytes;
      return isOver && file.path !== keep && now - file.at > limits.minAgeMs;
    });
}

export interface Pruning {
  /** The file that was just made: it stays. */
  readonly keep?: string;
  readonly limits?: ExportLimits;
  /** Epoch milliseconds. */
  readonly now?: number;
}

/**
 * Removes exports of `<root>/<scan id>/` that are old or too many. What cannot be removed now is tried again with the
 * next export.
 */
export async function pruneExports(
  root: string,
  { keep = '', limits = EXPORT_LIMITS, now = Date.now() }: Pruning = {},
): Promise<void> {
  for (const { path, at } of outdated(await filesUnder(root), keep, limits, now)) {
    // Handed out again, or written on, since it was looked at.
    const stats = await stat(path).catch(() => undefined);
    if (stats?.mtimeMs !== at) continue;
    await rm(path, { force: true }).catch(() => undefined);
    await rm(`${path}.sha256`, { force: true }).catch(() => undefined);
    // Only when nothing else is in it.
    await rmdir(join(path, '..')).catch(() => undefined);
  }
}

/** Removes all exports of scans that are gone. Text that is no scan id names no folder. */
export async function removeExportsOf(root: string, scanIds: readonly string[]): Promise<void> {
  for (const scanId of scanIds) {
    if (SCAN_ID.test(scanId)) await rm(join(root, scanId), { recursive: true, force: true });
  }
}
