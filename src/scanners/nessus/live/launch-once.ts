import { unreachable } from '../api/faults.ts';
import { requireScanApi } from './create-remote.ts';
import type { NessusInstance } from './instance.ts';
import { lost } from './lost.ts';
import { wasLaunched, withHistory } from './own-scans.ts';
import type { RemoteRun } from './remote-run.ts';

const TRIES = 3;
/** Before a look whether a launch without an answer took place. */
const LOOKS_MS = [0, 1_000, 3_000];

/**
 * Launches a scan that was made and is not launched yet.
 * @throws AppError remote_scan_lost, scanner_edition_forbids_api, scanner_unreachable
 */
export async function launchOnce(instance: NessusInstance, run: RemoteRun, signal: AbortSignal): Promise<RemoteRun> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const written = await instance.api.launch(run.id, signal);
    if (written.kind === 'done') {
      const { scan_uuid: uuid } = written.value;
      return uuid === undefined ? run : { ...run, scan_uuid: uuid };
    }
    if (written.kind === 'refused') {
      if (written.status === 404) throw lost('It was deleted before it could be launched.');
      return run; // 409: it runs.
    }
    await requireScanApi(instance);
    const found = await look(instance, run);
    if (found) return found;
    if (attempt >= TRIES || written.fault.kind === 'slow') throw unreachable(instance.api.where, written.fault);
  }
}

/** Also goes on after an abort: what runs has to be known to be stopped. */
async function look(instance: NessusInstance, run: RemoteRun): Promise<RemoteRun | undefined> {
  for (const waitMs of LOOKS_MS) {
    await instance.timing.sleep(waitMs, instance.life);
    const details = await instance.api.details(run.id, undefined, instance.life);
    if (!details) throw lost('It was deleted before it could be launched.');
    if (wasLaunched(details)) return withHistory(run, details);
  }
  return undefined;
}
