import { statSync } from 'node:fs';
import { readConfigFile } from '../config/read-config-file.ts';
import { configInvalid } from '../config/problems.ts';
import { errorFacts } from '../model/errors.ts';
import { readCredentials, type KnownCredentials } from './read-credentials.ts';

export interface CredentialsInForce {
  readonly known: KnownCredentials;
  /** Why the file cannot be used; nothing is known then. */
  readonly lastError?: string;
}

/**
 * credentials.yaml as it is now: read again whenever it is another file than before. One that cannot be used gives
 * nothing: an older one could keep open what the operator has just closed.
 */
export function credentialsInForce(file: string): () => CredentialsInForce {
  let seen: string | undefined;
  let current: CredentialsInForce = { known: new Map() };
  return () => {
    const mark = markOf(file);
    if (mark !== seen) {
      current = load(file);
      seen = mark;
    }
    return current;
  };
}

function markOf(file: string): string {
  try {
    const { mtimeNs, ctimeNs, size, ino } = statSync(file, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join(' ');
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error);
  }
}

function load(file: string): CredentialsInForce {
  try {
    // Before it is opened: opening a pipe would wait for somebody to write.
    if (!(statSync(file, { throwIfNoEntry: false })?.isFile() ?? true)) {
      throw configInvalid([{ where: file, message: 'is no plain file' }]);
    }
    const text = readConfigFile(file);
    return { known: text === undefined ? new Map() : readCredentials(text, file) };
  } catch (error) {
    return { known: new Map(), lastError: errorFacts(error).message };
  }
}
