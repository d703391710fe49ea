import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../model/errors.ts';
import { identityText, isAlive, isElsewhere, ownIdentity } from '../platform/process-identity.ts';
import type { ClaimedFolder } from './artefacts.ts';
import { diskFailure, freeBytes } from './disk.ts';

/** `<scan id>.claim` beside the folders of scans holds the identity of the process that fills `<scan id>`. */
const CLAIM = '.claim';
const UNFINISHED = '.new';
const CLAIM_TRIES = 5;

/** Of a process in another container or machine nothing is known but that no import takes this long. */
const LONGEST_MS = 24 * 3_600_000;

/** @throws AppError storage_full when less than `needed` bytes are free, storage_unusable */
export async function claimFolder(folder: string, scanId: string, needed: number): Promise<ClaimedFolder> {
  const path = join(folder, `${scanId}${CLAIM}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await requireRoom(folder, needed);
    await writeClaim(path);
  } catch (error) {
    throw diskFailure(error, folder);
  }
  const release = (): Promise<void> => rm(path, { force: true });
  return {
    release,
    async discard() {
      await rm(join(folder, scanId), { recursive: true, force: true });
      await release();
    },
  };
}

/** There before the folder is, so that no sweep sees the one without the other; and whole from its first moment. */
async function writeClaim(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await writeFile(`${path}${UNFINISHED}`, identityText(ownIdentity()), { mode: 0o600 });
      await rename(`${path}${UNFINISHED}`, path);
      return;
    } catch (error) {
      // A sweep takes unfinished ones away, whoever is writing them.
      if (tries === CLAIM_TRIES || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

async function requireRoom(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= needed) return;
  const [freeMb, neededMb] = [free, needed].map((bytes) => Math.ceil(bytes / 1e6));
  throw new AppError('storage_full', `Only ${freeMb} MB are free; ${neededMb} MB are needed.`);
}

export interface Claims {
  /** Scans whose folders living processes are filling. */
  readonly living: ReadonlySet<string>;
  /** Scans whose claims outlived their processes: killed ones, as a rule. */
  readonly abandoned: readonly string[];
}

export interface ClaimsFolder {
  readonly folder: string;
  /** Processes of other machines claim here, too. */
  readonly isShared: boolean;
}

/** All claims of a folder. What was left of one that was never whole is removed. */
export async function readClaims({ folder, isShared }: ClaimsFolder): Promise<Claims> {
  const names = await readdir(folder);
  for (const name of names) {
    if (name.endsWith(CLAIM + UNFINISHED)) await rm(join(folder, name), { force: true });
  }
  const living = new Set<string>();
  const abandoned: string[] = [];
  for (const name of names.filter((one) => one.endsWith(CLAIM))) {
    const scanId = name.slice(0, -CLAIM.length);
    if (await isHeld(join(folder, name), isShared)) living.add(scanId);
    else abandoned.push(scanId);
  }
  return { living, abandoned };
}

/** To be called once the folder of each is gone or referred to: until then the claim is all that tells of it. */
export async function dropClaims(folder: string, scanIds: readonly string[]): Promise<void> {
  for (const scanId of scanIds) await rm(join(folder, `${scanId}${CLAIM}`), { force: true });
}

async function isHeld(path: string, isShared: boolean): Promise<boolean> {
  try {
    const [{ mtimeMs }, owner] = await Promise.all([stat(path), readFile(path, 'utf8')]);
    const mayRun = isAlive(owner) || (isShared && isElsewhere(owner));
    return Date.now() - mtimeMs < LONGEST_MS && mayRun;
  } catch {
    return false; // released meanwhile, so its record is there
  }
}
