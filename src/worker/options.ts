import type { WorkerDeps } from './deps.ts';

/** What one run of the worker is asked for, over the settings. */
export interface WorkerOptions {
  readonly leaveWhenIdle: boolean;
  /** Only scans of these pools. @default all */
  readonly pools?: readonly string[];
  /** Scans at once. @default worker.max_concurrent_scans */
  readonly concurrency?: number;
}

export function withOptions(deps: WorkerDeps, { leaveWhenIdle, pools, concurrency }: WorkerOptions): WorkerDeps {
  const { idleExitMs, ...staying } = deps.settings;
  return {
    ...deps,
    settings: {
      ...staying,
      ...(leaveWhenIdle && idleExitMs !== undefined ? { idleExitMs } : {}),
      ...(pools === undefined ? {} : { pools }),
      ...(concurrency === undefined ? {} : { maxConcurrentScans: concurrency }),
    },
  };
}
