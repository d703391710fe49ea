import { createHash } from 'node:crypto';
import type { Clock } from './clock.ts';
import { ended, ordered, settled, type Run } from './run.ts';
import type { Secrets } from './secrets.ts';
import type { StateFile } from './state-file.ts';

export interface Folder {
  readonly id: number;
  readonly name: string;
  readonly type: 'trash' | 'main' | 'custom';
}

/** What a scan logs in with, without a secret: those are only hashed. */
export interface CredentialRecord {
  readonly id: number;
  readonly category: string;
  readonly type: string;
  /** Fields that are no secret, e.g. `auth_method`, `username`, `elevate_privileges_with`. */
  readonly plain: Readonly<Record<string, string>>;
  /** Field name -> SHA-256 of its value, 64 hex digits. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Scan {
  readonly id: number;
  /** `template-...` */
  readonly uuid: string;
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  /** Whether the API made it, or it was there before or is the work of a person. */
  readonly origin: 'api' | 'foreign';
  readonly permissions: number;
  readonly folderId: number;
  readonly templateUuid: string;
  /** As it was asked for. */
  readonly targets: string;
  readonly credentials: readonly CredentialRecord[];
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly isRead: boolean;
  /** A name of `uploads`, when the report was imported. */
  readonly imported: string | undefined;
  readonly runs: readonly Run[];
}

/** A file somebody uploaded. Its content is never kept on disk. */
export interface Upload {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly uploadedAt: number;
  /** When the last scan that used it let go of it. */
  readonly removedAt: number | undefined;
}

/** What a restart keeps. */
export interface Kept {
  readonly folders: readonly Folder[];
  readonly scans: readonly Scan[];
  readonly uploads: readonly Upload[];
  readonly lastId: number;
  readonly launches: number;
}

export const NOTHING: Kept = { folders: [], scans: [], uploads: [], lastId: 0, launches: 0 };

/** Folders, scans and uploads. Every change is in the file, when there is one, before it is answered. */
export class State {
  readonly #clock: Clock;
  readonly #file: StateFile | undefined;
  readonly #folders = new Map<number, Folder>();
  readonly #scans = new Map<number, Scan>();
  readonly #uploads = new Map<string, Upload>();
  readonly #everUsed = new Set<string>();
  /** Secrets and uploaded bytes: in memory only, and gone with the process. */
  readonly secrets = new Map<number, Secrets>();
  readonly contents = new Map<string, Buffer>();
  #lastId: number;
  #launches: number;

  constructor(clock: Clock, kept: Kept, file: StateFile | undefined) {
    this.#clock = clock;
    this.#file = file;
    for (const folder of kept.folders) this.#folders.set(folder.id, folder);
    for (const scan of kept.scans) {
      this.#scans.set(scan.id, scan);
      for (const name of filesOf(scan)) this.#everUsed.add(name);
    }
    for (const upload of kept.uploads) this.#uploads.set(upload.name, upload);
    this.#lastId = kept.lastId;
    this.#launches = kept.launches;
  }

  get folders(): readonly Folder[] {
    return [...this.#folders.values()];
  }

  get uploads(): readonly Upload[] {
    return [...this.#uploads.values()];
  }

  /** As they are now: what was due has happened. */
  get scans(): readonly Scan[] {
    return [...this.#scans.keys()].flatMap((id) => this.scan(id) ?? []);
  }

  /** @returns undefined when there is none, or somebody has deleted it by now */
  scan(id: number): Scan | undefined {
    const scan = this.#scans.get(id);
    return scan && this.#caughtUp(scan);
  }

  /** Ids grow, with gaps, as those of a server that others use too. */
  nextId(): number {
    this.#lastId += 1 + ((this.#lastId * 7) % 5);
    return this.#lastId;
  }

  countLaunch(): number {
    this.#launches += 1;
    return this.#launches;
  }

  putFolder(folder: Folder): void {
    this.#folders.set(folder.id, folder);
    this.#keep({ folder });
  }

  removeFolder(id: number): void {
    this.#folders.delete(id);
    this.#keep({ removedFolder: id });
  }

  put(scan: Scan): void {
    this.#scans.set(scan.id, scan);
    this.#keep({ scan });
  }

  remove(id: number): void {
    this.#scans.delete(id);
    this.secrets.delete(id);
    this.#keep({ removedScan: id });
    this.dropUnusedUploads();
  }

  upload(name: string, content: Buffer): Upload {
    const free = this.#freeName(name);
    const upload: Upload = {
      name: free,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      uploadedAt: this.#clock.now(),
      removedAt: undefined,
    };
    this.contents.set(free, content);
    this.#putUpload(upload);
    return upload;
  }

  /** A file that scans used and none uses any more is gone. */
  dropUnusedUploads(): void {
    const used = new Set([...this.#scans.values()].flatMap(filesOf));
    for (const upload of this.#uploads.values()) {
      if (upload.removedAt !== undefined || used.has(upload.name) || !this.#everUsed.has(upload.name)) continue;
      this.contents.delete(upload.name);
      this.#putUpload({ ...upload, removedAt: this.#clock.now() });
    }
  }

  /**
   * A Nessus that stops leaves its running scans aborted.
   * @param at when it was last alive, in simulated time: what was due later has not happened
   */
  abortAll(at = this.#clock.now()): void {
    for (const before of this.#scans.values()) {
      const scan = this.#caughtUp(before, at);
      const run = scan?.runs.at(-1);
      if (!scan || !run || run.end) continue;
      this.put(withLastRun({ ...scan, modifiedAt: at }, ended(run, 'aborted', at)));
    }
  }

  /** Notes the time while something runs, so that a restart knows how far it had come. */
  noteAlive(): void {
    if ([...this.#scans.values()].some(({ runs }) => runs.length > 0 && !runs.at(-1)?.end)) this.#keep({});
  }

  #putUpload(upload: Upload): void {
    this.#uploads.set(upload.name, upload);
    this.#keep({ upload });
  }

  #freeName(name: string): string {
    if (!this.#uploads.has(name)) return name;
    let number = 2;
    while (this.#uploads.has(`${name}-${number}`)) number += 1;
    return `${name}-${number}`;
  }

  #keep(change: Parameters<StateFile['append']>[0]): void {
    if (change.scan) for (const name of filesOf(change.scan)) this.#everUsed.add(name);
    this.#file?.append({ ...change, lastId: this.#lastId, launches: this.#launches, now: this.#clock.now() });
  }

  /** Does what its script and people had due, in the order of time. */
  #caughtUp(scan: Scan, now = this.#clock.now()): Scan | undefined {
    let run = scan.runs.at(-1);
    if (!run || run.end) return scan;
    for (const deed of run.script.someone.slice(run.deedsDone)) {
      const at: number = run.startedAt + deed.after_ms;
      if (at > now) break;
      if (deed.does === 'delete') {
        this.remove(scan.id);
        return undefined;
      }
      const before = settled(run, at);
      run = { ...(ordered(before, deed.does, at) ?? before), deedsDone: run.deedsDone + 1 };
    }
    run = settled(run, now);
    if (run === scan.runs.at(-1)) return scan;
    const changed = withLastRun({ ...scan, modifiedAt: run.end?.at ?? scan.modifiedAt }, run);
    this.put(changed);
    return changed;
  }
}

export const withLastRun = (scan: Scan, run: Run): Scan => ({ ...scan, runs: [...scan.runs.slice(0, -1), run] });

/** Uploaded files a scan needs. */
const filesOf = ({ credentials, imported }: Scan): string[] => [
  ...credentials.flatMap(({ plain }) =>
    [plain['private_key'], plain['user_cert']].filter((name) => name !== undefined),
  ),
  ...(imported === undefined ? [] : [imported]),
];
