import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../model/ids.ts';
import type { ReferencedAttempts } from './artefacts.ts';
import { dropClaims, readClaims, type ClaimsFolder } from './claims.ts';
import { isMissing } from './disk.ts';

/** Removes what no record refers to and no living process is filling. */
export async function sweep(swept: ClaimsFolder, referenced: ReferencedAttempts): Promise<number> {
  const { folder } = swept;
  const names = await entries(folder);
  if (names.length === 0) return 0;
  // In this order: a folder is claimed before it is made, and its claim goes after the record has come.
  const { living, abandoned } = await readClaims(swept);
  const scanIds = names.filter((name) => SCAN_ID.test(name) && !living.has(name));
  return removeUnreferenced(folder, { scanIds, abandoned, referenced });
}

/**
 * Removes what killed processes had claimed and no record refers to. Costs as much as there are claims, however many
 * scans there are; other processes may claim and sweep meanwhile.
 */
export async function sweepAbandoned(swept: ClaimsFolder, referenced: ReferencedAttempts): Promise<number> {
  const { folder } = swept;
  if ((await entries(folder)).length === 0) return 0;
  const { abandoned } = await readClaims(swept);
  if (abandoned.length === 0) return 0;
  const scanIds = abandoned.filter((name) => SCAN_ID.test(name));
  return removeUnreferenced(folder, { scanIds, abandoned, referenced });
}

interface Sweep {
  readonly scanIds: readonly string[];
  readonly abandoned: readonly string[];
  readonly referenced: ReferencedAttempts;
}

async function removeUnreferenced(folder: string, { scanIds, abandoned, referenced }: Sweep): Promise<number> {
  // Looked at before records are: an attempt is in its record before it has a folder, maybe on another machine.
  const found = new Map<string, readonly string[]>();
  for (const scanId of scanIds) {
    found.set(
      scanId,
      (await entries(join(folder, scanId))).filter((name) => /^\d+$/.test(name)),
    );
  }
  const keep = await referenced(scanIds);
  let removed = 0;
  for (const [scanId, epochs] of found) {
    const stale = epochs.filter((epoch) => !keep.get(scanId)?.has(Number(epoch)));
    for (const epoch of stale) {
      await rm(join(folder, scanId, epoch), { recursive: true, force: true });
      removed += 1;
    }
    // Fails as it should when there is something else in it.
    if (stale.length === epochs.length) await rmdir(join(folder, scanId)).catch(() => undefined);
  }
  await dropClaims(folder, abandoned);
  return removed;
}

/** Removes the folders of scans, and their claims. Text that is no scan id names no folder. */
export async function removeScanFolders(folder: string, scanIds: readonly string[]): Promise<void> {
  const known = scanIds.filter((scanId) => SCAN_ID.test(scanId));
  for (const scanId of known) await rm(join(folder, scanId), { recursive: true, force: true });
  await dropClaims(folder, known);
}

/** None of what is absent or no folder: before the first scan, or because another sweep was faster. */
async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
