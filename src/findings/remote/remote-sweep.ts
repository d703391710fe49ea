import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../../model/ids.ts';
import type { ReferencedAttempts } from '../artefacts.ts';
import { atMost } from './at-most.ts';
import type { Objects, StoredObject } from './objects.ts';

/** An upload of an attempt that still runs, or whose record is just being written, is younger. */
const SWEPT_AFTER_MS = 24 * 3_600_000;
/** Pages of 1,000 objects that one sweep looks at, and how long it goes on: workers sweep before they start to work. */
const PAGES = 20;
const LONGEST_MS = 10_000;
const REMOVALS_AT_ONCE = 8;

/** Removes every object of one scan. */
export async function removeObjects(objects: Objects, scanId: string): Promise<void> {
  for (;;) {
    const page = await objects.list(`${scanId}/`);
    await removeAll(objects, page.objects);
    if (page.isLast || page.objects.length === 0) return;
  }
}

async function removeAll(objects: Objects, stored: readonly StoredObject[]): Promise<void> {
  const turn = atMost(REMOVALS_AT_ONCE);
  await Promise.all(stored.map(({ key }) => turn(() => objects.remove(key))));
}

/**
 * Removes objects older than a day that no record refers to, and returns the number of attempts they were of. A sweep
 * looks at so many objects at most, from a place that differs from process to process: many small sweeps see all of a
 * large store.
 */
export function createRemoteSweep(
  objects: Objects,
  random: () => number,
): (referenced: ReferencedAttempts) => Promise<number> {
  // Scan ids are random, and begin so.
  let after: string | undefined = `scan_${ALPHABET[Math.floor(random() * ALPHABET.length)] ?? ''}`;
  return async (referenced) => {
    const attempts = new Set<string>();
    const end = performance.now() + LONGEST_MS;
    for (let pages = 0, turns = 0; pages < PAGES && turns < 2 && performance.now() < end; pages += 1) {
      const page = await objects.list('', after);
      const old = page.objects.filter(({ storedAt }) => Date.now() - storedAt > SWEPT_AFTER_MS);
      const stale = await unreferenced(old, referenced);
      await removeAll(objects, stale);
      for (const { key } of stale) attempts.add(key.slice(0, key.lastIndexOf('/')));
      after = page.isLast ? undefined : page.objects.at(-1)?.key;
      if (after === undefined) turns += 1;
    }
    return attempts.size;
  };
}

/**
 * Removes copies of scans that are gone: whoever removed them may have been another machine. One that is about to be
 * named by a record is fetched again.
 */
export async function sweepCopies(folder: string, referenced: ReferencedAttempts): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const scanIds = names.filter((name) => SCAN_ID.test(name));
  if (scanIds.length === 0) return;
  const keep = await referenced(scanIds);
  for (const scanId of scanIds) {
    if (!keep.has(scanId)) await rm(join(folder, scanId), { recursive: true, force: true });
  }
}

/** As in `newScanId`. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Only what looks like ours: somebody may keep other things under the prefix. */
async function unreferenced(stored: readonly StoredObject[], referenced: ReferencedAttempts): Promise<StoredObject[]> {
  const parts = stored.flatMap((object) => {
    const [scanId = '', epoch = '', ...rest] = object.key.split('/');
    return SCAN_ID.test(scanId) && /^\d{1,10}$/.test(epoch) && rest.length === 1 ? [{ object, scanId, epoch }] : [];
  });
  if (parts.length === 0) return [];
  const keep = await referenced([...new Set(parts.map(({ scanId }) => scanId))]);
  return parts.filter(({ scanId, epoch }) => keep.get(scanId)?.has(Number(epoch)) !== true).map(({ object }) => object);
}
