import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../model/ids.ts';
import type { Log } from '../platform/log.ts';
import type { ReferencedAttempts, ScanFiles } from './artefacts.ts';
import { diskFailure, isMissing } from './disk.ts';
import { openScanFiles, scansFolder, type ScanFilesSettings } from './open-scan-files.ts';

/** A folder of scans, and the queue that asks what may be removed from it. */
export interface OwnedFolder {
  readonly folder: string;
  /** The same for every process of one queue, and for no other queue. */
  readonly queueId: () => Promise<string>;
}

export interface OwnFiles extends ScanFiles {
  /** The file that says that the files are another queue's; undefined when they are ours. */
  foreignOwner(): Promise<string | undefined>;
}

/** The artefact store the settings ask for, swept only for the queue its files belong to. */
export const openOwnFiles = async (
  settings: ScanFilesSettings,
  queueId: OwnedFolder['queueId'],
  log: Pick<Log, 'error'>,
): Promise<OwnFiles> =>
  sweptForTheirQueue(await openScanFiles(settings), { folder: scansFolder(settings), queueId }, log);

/** Names the queue whose records refer to the files beside it. */
const OWNER = '.queue';
/** Of files that nobody can say anything about. */
const NOBODY = 'unknown';

/**
 * Scan files that are swept only for the queue they belong to. Any other has no record of them: a new `queue.db` in place of
 * a lost one, another Redis or another prefix. To it everything would be left over, and all results would go.
 */
export function sweptForTheirQueue(files: ScanFiles, owned: OwnedFolder, log: Pick<Log, 'error'>): OwnFiles {
  return {
    ...files,
    foreignOwner: () => foreignOwner(owned),
    async sweep(referenced) {
      if (await claimOwnership(owned, referenced)) return files.sweep(referenced);
      log.error(
        { folder: owned.folder },
        'the files of scans belong to another queue: nothing is removed; see `scanmux doctor`',
      );
      return files.sweepAbandoned(referenced);
    },
  };
}

/** Where the folder says that it belongs to another queue: the file that does. */
export async function foreignOwner({ folder, queueId }: OwnedFolder): Promise<string | undefined> {
  const owner = await ownerOf(folder);
  return owner === undefined || owner === (await queueId()) ? undefined : join(folder, OWNER);
}

/** True when the files are those of this queue, or can become them because there are none of any other. */
async function claimOwnership({ folder, queueId }: OwnedFolder, referenced: ReferencedAttempts): Promise<boolean> {
  const ownId = await queueId();
  const owner = await ownerOf(folder);
  if (owner !== undefined) return owner === ownId;
  const names = await readdir(folder).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)));
  if (names === undefined) return true;
  const claimed = new Set(names);
  const scanIds = names.filter((name) => SCAN_ID.test(name) && !claimed.has(`${name}.claim`));
  const isOurs = scanIds.length === 0 || (await referenced(scanIds)).size > 0;
  await writeFile(join(folder, OWNER), `${isOurs ? ownId : NOBODY}\n`, { flag: 'wx', mode: 0o600 }).catch(
    (error: unknown) => Promise.reject(diskFailure(error, folder)),
  );
  return isOurs;
}

async function ownerOf(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, OWNER), 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw diskFailure(error, folder);
  }
}
