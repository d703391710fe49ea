import { z } from 'zod';
import { Place } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import { silentLog } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import { reading } from './findings-file.ts';
import type { FindingsFile } from './findings-file.ts';
import type { FindingsStore } from './findings.ts';
import { ingest, INGEST_LIMITS } from './ingest.ts';
import type { IngestLimits } from './ingest.ts';
import { createOpenFiles } from './open-files.ts';
import { queryPage, readFinding } from './query.ts';

/** Bounds of a findings store; each has a default. */
export interface FindingsLimits extends IngestLimits {
  /** Findings files kept open for reading. */
  readonly maxOpenFiles: number;
}

const DEFAULTS: FindingsLimits = { ...INGEST_LIMITS, maxOpenFiles: 8 };

const PlaceRow = z.object({ place: z.string(), status: z.string(), reason: z.string().nullable() });

/** The findings databases of all scans: one immutable SQLite file each, read through a few open connections. */
export function createFindingsStore(deps: { log?: Log; limits?: Partial<FindingsLimits> } = {}): FindingsStore {
  const limits = { ...DEFAULTS, ...deps.limits };
  const log = deps.log ?? silentLog;
  const files = createOpenFiles(limits.maxOpenFiles);

  const read = <T>(path: string, body: (file: FindingsFile) => T): T => {
    const file = files.get(path);
    try {
      return reading(path, () => body(file));
    } catch (error) {
      if (error instanceof AppError && error.code === 'storage_unusable') files.forget(path);
      throw error;
    }
  };

  return {
    ingest: (input) => ingest(input, limits, log),
    query: async (path, scanId, query) => read(path, (file) => queryPage(file, scanId, query)),
    get: async (path, scanId, number) => read(path, (file) => readFinding(file, scanId, number)),
    untested: async (path, limit) => read(path, (file) => readUntested(file, limit)),
    close: () => files.close(),
  };
}

function readUntested({ db }: FindingsFile, limit: number): Place[] {
  const rows = db.prepare('SELECT place, status, reason FROM place ORDER BY place LIMIT ?').all(limit);
  return rows.map((row) => {
    const { reason, ...place } = PlaceRow.parse(row);
    return Place.parse(reason === null ? place : { ...place, reason });
  });
}
