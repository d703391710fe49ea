import type { Log } from '../platform/log.ts';
import type { ReferencedAttempts, ScanFiles } from './artefacts.ts';
import { openScanFiles, type ScanFilesSettings } from './open-scan-files.ts';
import type { OwnedPlace } from './owned-place.ts';

export interface OwnFiles extends ScanFiles {
  /** What says that files are another queue's, by path or URL; undefined when they are ours. */
  foreignOwner(): Promise<string | undefined>;
}

/** The same for every process of one queue, and for no other queue. */
type QueueId = () => Promise<string>;

/** The artefact store the settings ask for, swept only for the queue its files belong to. */
export async function openOwnFiles(
  settings: ScanFilesSettings,
  queueId: QueueId,
  log: Pick<Log, 'error'>,
): Promise<OwnFiles> {
  const { files, places } = await openScanFiles(settings);
  return sweptForTheirQueue(files, places, { queueId, log });
}

/** Of files that nobody can say anything about. */
const NOBODY = 'unknown';

/**
 * Scan files that are swept only for the queue they belong to. Any other has no record of them: a new `queue.db` in place
 * of a lost one, another Redis or another prefix. To it everything would be left over, and all results would go.
 */
export function sweptForTheirQueue(
  files: ScanFiles,
  places: readonly OwnedPlace[],
  { queueId, log }: { readonly queueId: QueueId; readonly log: Pick<Log, 'error'> },
): OwnFiles {
  const foreignOwner = async (): Promise<string | undefined> => {
    const ownId = await queueId();
    for (const place of places) {
      const other = (await place.owners()).find((owner) => owner !== ownId);
      if (other !== undefined) return place.nameOf(other);
    }
    return undefined;
  };
  return {
    ...files,
    foreignOwner,
    async sweep(referenced) {
      const ownId = await queueId();
      for (const place of places) await settleOwner(place, ownId, referenced);
      const owner = await foreignOwner();
      if (owner === undefined) return files.sweep(referenced);
      log.error({ owner }, 'the files of scans belong to another queue: nothing is removed; see `scanmux doctor`');
      return files.sweepAbandoned(referenced);
    },
  };
}

/** Writes down whose a place is that belongs to nobody yet. Two queues that do so at once are both there afterwards. */
async function settleOwner(place: OwnedPlace, ownId: string, referenced: ReferencedAttempts): Promise<void> {
  if ((await place.owners()).length > 0) return;
  const scanIds = await place.scanIds();
  if (scanIds === undefined) return;
  const isOurs = scanIds.length === 0 || (await referenced(scanIds)).size > 0;
  await place.addOwner(isOurs ? ownId : NOBODY);
}
