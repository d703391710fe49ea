import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';

const UNREADABLE: ReadonlySet<string> = new Set(['storage_unusable', 'storage_unavailable', 'data_too_new']);

/** A read of one file out of many: what cannot be read is logged and undefined, so that the others still answer. */
export async function readable<T>(log: Log, scanId: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError) || !UNREADABLE.has(error.code)) throw error;
    log.warn({ err: error, scanId }, 'findings of a scan cannot be read; they are left out');
    return undefined;
  }
}
