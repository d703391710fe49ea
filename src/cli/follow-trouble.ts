import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../app.ts';
import type { Waited } from '../model/contract/status.ts';
import { WAITS_FOR } from './render/scan-report.ts';
import type { Session } from './session.ts';

const MIB = 2 ** 20;

/** Why an unfinished scan stands still, as one line; undefined when it does not. @throws AppError queue_unavailable */
export async function troubleOf(
  { folders }: Pick<Session, 'folders'>,
  { seat, settings }: { seat: Pick<App['seat'], 'holder'>; settings: Pick<App['settings'], 'storage_reserve_mb'> },
  { state, waiting_for: what }: Pick<Waited, 'state' | 'waiting_for'>,
): Promise<string | undefined> {
  const { data } = folders();
  const full = await diskTrouble(data, settings.storage_reserve_mb);
  if (full !== undefined) return full;
  if (what === 'worker' || (await seat.holder()) === undefined) {
    const gone =
      state === 'running' ? 'Its worker is gone: it waits for another one' : `It waits for ${WAITS_FOR.worker}`;
    return `${gone}. If none comes, ${join(data, 'logs', 'worker.log')} and \`scanmux doctor\` say why.`;
  }
  return what === 'none' ? undefined : `It waits for ${WAITS_FOR[what]}.`;
}

/** A full disk stops a running scan without ending it: the worker tries to write until there is room. */
export async function diskTrouble(folder: string, reserveMb: number): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const freeMb = Math.floor((bavail * bsize) / MIB);
  if (freeMb >= reserveMb) return undefined;
  return `storage_full: only ${freeMb} MB are free for ${folder}. The scan may stand still until there is more.`;
}
