import { AppError } from '../../../model/errors.ts';
import type { ListedScan } from '../api/answers.ts';
import type { NessusInstance } from './instance.ts';
import { describes, isMarker } from './remote-run.ts';
import { isOver } from './remote-state.ts';

const DAY_MS = 86_400_000;
/** Of one sweep; the next one goes on. */
const MOST = 20;

/**
 * Deletes finished scans of scanmux that nobody touched for `delete_after_days`. Name, owner and description must all be
 * ours. What cannot be deleted now is left to the next sweep: nothing rests on it.
 */
export async function sweepOld(instance: NessusInstance): Promise<void> {
  const { options, timing, life } = instance;
  if (options.deleteAfterDays === undefined) return;
  const before = timing.now() - options.deleteAfterDays * DAY_MS;
  try {
    const owner = await instance.owner(life);
    if (owner === undefined) return;
    const old = (await instance.api.scans(life)).filter((scan) => isOld(scan, owner, before)).slice(0, MOST);
    for (const scan of old) await deleteOwn(instance, scan);
  } catch (error) {
    if (!(error instanceof AppError) && !life.aborted) throw error;
  }
}

const UPKEEP_MS = 60 * 60_000;

/** Sweeps at the first call, and at later ones when an hour has passed: an instance may get no scans for long. */
export function createUpkeep(instance: NessusInstance): () => Promise<void> {
  let sweptAt = -Infinity;
  return async () => {
    const now = instance.timing.monotonic();
    if (now - sweptAt < UPKEEP_MS) return;
    sweptAt = now;
    await sweepOld(instance);
  };
}

const isOld = ({ name, owner, status, last_modification_date: seconds }: ListedScan, own: string, before: number) =>
  isMarker(name) && owner === own && isOver(status) && seconds !== undefined && seconds > 0 && seconds * 1_000 < before;

async function deleteOwn({ api, life }: NessusInstance, { id, name }: ListedScan): Promise<void> {
  const config = await api.config(id, life);
  if (config?.description === undefined || !describes(config.description, name)) return;
  const removed = await api.remove(id, life);
  if (removed.kind !== 'refused' || removed.status !== 409) return;
  // Some versions delete only what is in the trash.
  const trash = (await api.folders(life)).find(({ type }) => type === 'trash');
  if (!trash) return;
  await api.move(id, trash.id, life);
  await api.remove(id, life);
}
