import type { Ask, ScanDeps } from './deps.ts';

/** Writes down a call that was refused before it reached a use case: its arguments could not be read. */
export type NoteRefusal = (tool: string, code: string, ask: Ask) => Promise<void>;

/** @throws AppError storage_full, storage_unusable */
export const createNoteRefusal =
  ({ audit }: Pick<ScanDeps, 'audit'>): NoteRefusal =>
  (tool, code, { caller, traceId }) =>
    audit({ caller, action: 'refuse', decision: code, traceId, detail: { tool } });
