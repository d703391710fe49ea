import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { SimulatorError } from './simulator-error.ts';
import type { Folder, Kept, Scan, Upload } from './state.ts';

/** One line of the file: what changed, and the counters after it. */
interface Change {
  readonly folder?: Folder;
  readonly removedFolder?: number;
  readonly scan?: Scan;
  readonly removedScan?: number;
  readonly upload?: Upload;
  readonly lastId?: number;
  readonly launches?: number;
  /** Simulated time, so that it does not run backwards over a restart. */
  readonly now?: number;
}

/** What the simulator knows, a change a line: a kill at any moment loses nothing that was answered. */
export interface StateFile {
  append(change: Change): void;
}

export const openStateFile = (path: string): StateFile => ({
  // Written to the system before the answer; no fsync, because the machine does not go down with the process.
  append: (change) => appendFileSync(path, `${JSON.stringify(change)}\n`, { mode: 0o600 }),
});

/**
 * Reads the file and writes it anew with only what still counts.
 * @returns undefined when there is no file yet
 * @throws SimulatorError
 */
export function readStateFile(path: string): { kept: Kept; now: number } | undefined {
  if (!existsSync(path)) return undefined;
  const folders = new Map<number, Folder>();
  const scans = new Map<number, Scan>();
  const uploads = new Map<string, Upload>();
  let lastId = 0;
  let launches = 0;
  let now = 0;
  for (const change of changesIn(path, readFileSync(path, 'utf8'))) {
    if (change.folder) folders.set(change.folder.id, change.folder);
    if (change.removedFolder !== undefined) folders.delete(change.removedFolder);
    if (change.scan) scans.set(change.scan.id, change.scan);
    if (change.removedScan !== undefined) scans.delete(change.removedScan);
    if (change.upload) uploads.set(change.upload.name, change.upload);
    lastId = change.lastId ?? lastId;
    launches = change.launches ?? launches;
    now = change.now ?? now;
  }
  const kept = { folders: [...folders.values()], scans: [...scans.values()], uploads: [...uploads.values()] };
  rewrite(path, [
    ...kept.folders.map((folder) => ({ folder })),
    ...kept.scans.map((scan) => ({ scan })),
    ...kept.uploads.map((upload) => ({ upload })),
    { lastId, launches, now },
  ]);
  return { kept: { ...kept, lastId, launches }, now };
}

function rewrite(path: string, changes: readonly Change[]): void {
  writeFileSync(`${path}.new`, changes.map((change) => `${JSON.stringify(change)}\n`).join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The last line may be torn: whoever asked for it never got an answer. @throws SimulatorError */
function changesIn(path: string, text: string): Change[] {
  const lines = text.split('\n').slice(0, -1);
  try {
    return lines.map((line) => {
      const change: Change = JSON.parse(line);
      return change;
    });
  } catch (cause) {
    throw new SimulatorError(`${path} is no state file of the simulator`, { cause });
  }
}
