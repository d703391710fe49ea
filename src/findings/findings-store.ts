import { silentLog } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import type { WhilePresent } from './artefacts.ts';
import { EXPORT_LIMITS, pruneExports, removeExportsOf } from './exports/prune.ts';
import { NO_SUPPRESSIONS } from './findings.ts';
import type { FindingsStore } from './findings.ts';
import type { IngestLimits } from './ingest.ts';
import { createInProcessRunner, createPresentRunner } from './job-runner.ts';
import type { JobRunner } from './job-runner.ts';
import type { OpenFilesLimits } from './open-files.ts';
import { createThreadPool } from './thread-pool.ts';

/** Bounds of a findings store; each has a default. */
export interface FindingsLimits extends IngestLimits, OpenFilesLimits {}

const READ_LIMITS: OpenFilesLimits = { maxOpenFiles: 16, maxColumnBytes: 256 * 2 ** 20 };

export interface FindingsStoreDeps {
  readonly log?: Log;
  readonly limits?: Partial<FindingsLimits>;
  /**
   * Threads that read, started when first needed; another one writes while a large report is read. 0 (default):
   * everything happens in this one.
   */
  readonly threads?: number;
  /** Where exports are kept; without it there are none. */
  readonly exportsFolder?: string;
  /** Bytes of their disk that exports leave free, for running scans. */
  readonly exportsKeepFree?: number;
  /** How long exports are kept, in milliseconds. Default 7 days. */
  readonly exportsMaxAgeMs?: number;
  /** Fetches files that are on another machine. Default: all are here. */
  readonly whilePresent?: WhilePresent;
}

/** The findings databases of all scans: one immutable file each. */
export function createFindingsStore(deps: FindingsStoreDeps = {}): FindingsStore {
  const { log = silentLog, limits = {}, threads = 0, exportsFolder, exportsKeepFree: keepFree = 0 } = deps;
  const { exportsMaxAgeMs: maxAgeMs = EXPORT_LIMITS.maxAgeMs } = deps;
  const readers = runnerOf(threads, { ...READ_LIMITS, ...limits }, log);
  const runner = deps.whilePresent ? createPresentRunner(readers, deps.whilePresent) : readers;
  return {
    async ingest(input) {
      // Most programs only read.
      const { ingest, INGEST_LIMITS } = await import('./ingest.ts');
      const program = threads === 0 ? undefined : new URL('./gather-thread.js', import.meta.url);
      return ingest(input, { ...INGEST_LIMITS, ...limits }, log, program);
    },
    query: (ref, query, suppressions = NO_SUPPRESSIONS) =>
      runner.run('query', { ref, query, suppressions }, { file: ref.file }),
    get: (ref, number, suppressions = NO_SUPPRESSIONS) =>
      runner.run('get', { ref, number, suppressions }, { file: ref.file }),
    untested: (file, limit) => runner.run('untested', { file, limit }, { file }),
    looked: (file) => runner.run('looked', { file }, { file }),
    hosts: (file) => runner.run('hosts', { file }, { file }),
    compare: (input) => runner.run('compare', input, { file: input.head.file, others: [input.base.file] }),
    search: (input) => runner.run('search', input, { file: input.ref.file }),
    checks: (input) => runner.run('checks', input, { file: input.file }),
    ran: (input) => runner.run('ran', input, { file: input.file }),
    show: (input) => runner.run('show', input, { file: input.ref.file }),
    urgency: (input) => runner.run('urgency', input, { file: input.file }),
    similar: (input) => runner.run('similar', input, { file: input.file }),
    standing: (input) =>
      runner.run('standing', input, { file: input.file, others: input.newer.map(({ file }) => file) }),
    looks: (input) => runner.run('looks', input, { file: input.file }),
    witness: (input) => runner.run('witness', input, { file: input.ref.file }),
    presence: (input) => runner.run('presence', input, { file: input.file }),
    async export(request, signal) {
      if (exportsFolder === undefined) throw new Error('This store has no folder for exports.');
      const file = request.kind === 'native' ? request.report : (request.ref?.file ?? '');
      return runner.run('export', { request, folder: exportsFolder, keepFree, maxAgeMs }, { file, signal });
    },
    async tidyExports(gone) {
      if (exportsFolder === undefined) return;
      await removeExportsOf(exportsFolder, gone);
      await pruneExports(exportsFolder, { limits: { ...EXPORT_LIMITS, maxAgeMs } });
    },
    close: () => runner.close(),
  };
}

const runnerOf = (count: number, limits: OpenFilesLimits, log: Log): JobRunner =>
  count === 0 ? createInProcessRunner(limits) : createThreadPool({ count, limits, log });
