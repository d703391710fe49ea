import { access, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing } from '../disk.ts';

const TRIES = 5;

export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Moves a file, and makes the folder it goes to: another process may remove an empty one before there is a file in it. */
export async function moveInto(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (tries === TRIES || !isMissing(error) || !(await isThere(from))) throw error;
    }
  }
}
