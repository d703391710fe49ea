import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCAN_ID } from '../model/ids.ts';
import { diskFailure, isMissing } from './disk.ts';

/** A place with files of scans, and with names of the queues whose records refer to them. */
export interface OwnedPlace {
  owners(): Promise<readonly string[]>;
  /** Scans that lie there, enough to tell whose they are. Undefined as long as there is no such place. */
  scanIds(): Promise<readonly string[] | undefined>;
  /** Others may add theirs, or the same, at the same time. */
  addOwner(owner: string): Promise<void>;
  /** Where the name of an owner is, for people. */
  nameOf(owner: string): string;
}

/** What names of owners begin with, as files and as objects. */
export const OWNER = '.queue-';

export const ownersIn = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => (name.startsWith(OWNER) ? [name.slice(OWNER.length)] : []));

/** The folder `createScanFiles` keeps. */
export function ownedFolder(folder: string): OwnedPlace {
  const nameOf = (owner: string): string => join(folder, OWNER + owner);
  const names = (): Promise<string[] | undefined> =>
    readdir(folder).catch((error: unknown) =>
      isMissing(error) ? undefined : Promise.reject(diskFailure(error, folder)),
    );
  return {
    nameOf,
    owners: async () => ownersIn((await names()) ?? []),
    async scanIds() {
      const all = await names();
      const known = new Set(all);
      // A scan that is only claimed has no record yet.
      return all?.filter((name) => SCAN_ID.test(name) && !known.has(`${name}.claim`));
    },
    async addOwner(owner) {
      await writeFile(nameOf(owner), '', { mode: 0o600 }).catch((error: unknown) =>
        Promise.reject(diskFailure(error, folder)),
      );
    },
  };
}
