import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../model/ids.ts';
import type { ScanFiles } from './artefacts.ts';
import { livingClaims } from './claims.ts';

/** Removes what no record refers to and no living process is filling. */
export async function sweep(folder: string, referenced: Parameters<ScanFiles['sweep']>[0]): Promise<number> {
  const names = await entries(folder);
  if (names.length === 0) return 0;
  // In this order: a folder is claimed before it is made, and its claim goes after the record has come.
  const claimed = await livingClaims(folder);
  const scanIds = names.filter((name) => SCAN_ID.test(name));
  const keep = await referenced(scanIds);
  let removed = 0;
  for (const scanId of scanIds.filter((id) => !claimed.has(id))) {
    const epochs = (await entries(join(folder, scanId))).filter((name) => /^\d+$/.test(name));
    const stale = epochs.filter((epoch) => !keep.get(scanId)?.has(Number(epoch)));
    for (const epoch of stale) {
      await rm(join(folder, scanId, epoch), { recursive: true, force: true });
      removed += 1;
    }
    if (stale.length === epochs.length) await rm(join(folder, scanId), { recursive: true, force: true });
  }
  return removed;
}

async function entries(folder: string): Promise<string[]> {
  const known = await stat(folder).catch(() => undefined); // absent before the first scan
  return known?.isDirectory() ? readdir(folder) : [];
}
