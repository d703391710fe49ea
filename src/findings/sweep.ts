import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../model/ids.ts';
import type { ReferencedAttempts } from './artefacts.ts';
import { dropClaims, readClaims } from './claims.ts';

/** Removes what no record refers to and no living process is filling. */
export async function sweep(folder: string, referenced: ReferencedAttempts): Promise<number> {
  const names = await entries(folder);
  if (names.length === 0) return 0;
  // In this order: a folder is claimed before it is made, and its claim goes after the record has come.
  const { living, abandoned } = await readClaims(folder);
  const scanIds = names.filter((name) => SCAN_ID.test(name) && !living.has(name));
  return removeUnreferenced(folder, { scanIds, abandoned, referenced });
}

/**
 * Removes what killed processes had claimed and no record refers to. Costs as much as there are claims, however many
 * scans there are; other processes may claim and sweep meanwhile.
 */
export async function sweepAbandoned(folder: string, referenced: ReferencedAttempts): Promise<number> {
  if ((await entries(folder)).length === 0) return 0;
  const { abandoned } = await readClaims(folder);
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
  const keep = await referenced(scanIds);
  let removed = 0;
  for (const scanId of scanIds) {
    const epochs = (await entries(join(folder, scanId))).filter((name) => /^\d+$/.test(name));
    const stale = epochs.filter((epoch) => !keep.get(scanId)?.has(Number(epoch)));
    for (const epoch of stale) {
      await rm(join(folder, scanId, epoch), { recursive: true, force: true });
      removed += 1;
    }
    if (stale.length === epochs.length) await rm(join(folder, scanId), { recursive: true, force: true });
  }
  await dropClaims(folder, abandoned);
  return removed;
}

/** None of what is absent or no folder: before the first scan, or because another sweep was faster. */
async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}
