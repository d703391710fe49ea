import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SCAN_ID } from '../../model/ids.ts';
import type { Artefact } from '../../model/scan.ts';
import type { ScanFiles } from '../artefacts.ts';
import { findingsArtefact, placeOf } from '../artefact-place.ts';
import { atMost } from './at-most.ts';
import { createFileCache } from './file-cache.ts';
import type { Objects } from './objects.ts';
import { createRemoteSweep, removeObjects, sweepCopies } from './remote-sweep.ts';

export interface RemoteFilesDeps {
  /** Where attempts of this machine write; what was shared leaves it. */
  readonly local: ScanFiles;
  readonly objects: Objects;
  readonly cacheFolder: string;
  readonly cacheBytes: number;
  /** Bytes of the disk that copies leave free. */
  readonly reserveBytes: number;
  /** Uniform in [0, 1): where in a large store a sweep starts. */
  readonly random?: () => number;
}

/** The folder of an attempt, and of its scan, once nothing is in them any more. */
async function removeEmpty(attempt: string): Promise<void> {
  for (const folder of [attempt, dirname(attempt)]) await rmdir(folder).catch(() => undefined);
}

/** Each holds two parts in memory. */
const UPLOADS_AT_ONCE = 2;

/**
 * The artefact store of several machines: attempts write here, `share` stores it as objects, and readers everywhere
 * keep copies. Files of this machine from before there was such a store are read where they are.
 */
export function createRemoteFiles(deps: RemoteFilesDeps): ScanFiles {
  const { local, objects, cacheFolder, cacheBytes, reserveBytes, random = Math.random } = deps;
  const cache = createFileCache({ folder: cacheFolder, objects, maxBytes: cacheBytes, reserveBytes });
  const uploadTurn = atMost(UPLOADS_AT_ONCE);
  const sweepObjects = createRemoteSweep(objects, random);
  const pathOf = (scanId: string, artefact: Artefact): string => {
    const here = local.pathOf(scanId, artefact);
    return existsSync(here) ? here : cache.pathOf(scanId, artefact);
  };
  const removeHere = async (scanIds: readonly string[]): Promise<void> => {
    await local.removeScans(scanIds);
    for (const scanId of scanIds) {
      if (SCAN_ID.test(scanId)) await rm(join(cacheFolder, scanId), { recursive: true, force: true });
    }
  };
  return {
    attemptFolder: (scanId, epoch) => local.attemptFolder(scanId, epoch),
    openReport: (scanId, epoch, maxBytes, secrets) => local.openReport(scanId, epoch, maxBytes, secrets),
    async claim(scanId, bytes) {
      const claimed = await local.claim(scanId, bytes);
      return {
        release: () => claimed.release(),
        async discard() {
          await claimed.discard();
          await removeHere([scanId]);
          // What stays there is nobody's, and a sweep finds it.
          await removeObjects(objects, scanId).catch(() => undefined);
        },
      };
    },
    async share(scanId, artefacts, signal) {
      for (const artefact of artefacts) {
        const key = placeOf(scanId, artefact).join('/');
        const here = local.pathOf(scanId, artefact);
        // Shared by an earlier call, which failed at another of them.
        if (!existsSync(here) && existsSync(cache.pathOf(scanId, artefact))) continue;
        await uploadTurn(() => objects.put(key, here, artefact, signal));
        await cache.adopt(here, scanId, artefact);
        await removeEmpty(dirname(here));
      }
    },
    pathOf,
    findingsOf(scan) {
      const artefact = findingsArtefact(scan);
      return artefact && pathOf(scan.scanId, artefact);
    },
    whilePresent: cache.whilePresent,
    async removeScans(scanIds) {
      await removeHere(scanIds);
      for (const scanId of scanIds) if (SCAN_ID.test(scanId)) await removeObjects(objects, scanId);
    },
    check: () => objects.check(),
    async sweep(referenced) {
      const here = await local.sweep(referenced);
      await sweepCopies(cacheFolder, referenced);
      return here + (await sweepObjects(referenced));
    },
    sweepAbandoned: (referenced) => local.sweepAbandoned(referenced),
  };
}
