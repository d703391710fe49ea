import type { PersonsDeed, RunScript } from './scenario.ts';

/** One launch of a scan. Times are epoch milliseconds of the simulated clock. */
export interface Run {
  readonly historyId: number;
  readonly uuid: string;
  readonly startedAt: number;
  readonly targets: readonly string[];
  readonly script: RunScript;
  /** How far the walk got before `activeSince`. */
  readonly activeMs: number;
  /** Undefined while the walk stands still. */
  readonly activeSince: number | undefined;
  /** A passage to another state that takes its time. */
  readonly turn: Turn | undefined;
  readonly isPaused: boolean;
  readonly end: { readonly status: string; readonly at: number } | undefined;
  /** How many of the script's `someone` have acted. */
  readonly deedsDone: number;
}

interface Turn {
  readonly shown: 'pausing' | 'resuming' | 'stopping';
  readonly until: number;
}

export type Order = Exclude<PersonsDeed, 'delete'>;

export function launchedRun(facts: Pick<Run, 'historyId' | 'uuid' | 'targets' | 'script'>, startedAt: number): Run {
  return {
    ...facts,
    startedAt,
    activeMs: 0,
    activeSince: startedAt,
    turn: undefined,
    isPaused: false,
    end: undefined,
    deedsDone: 0,
  };
}

/** How far the walk has got, in milliseconds of it. */
export const activeMsAt = (run: Run, now: number): number =>
  run.activeMs + (run.activeSince === undefined ? 0 : Math.max(0, now - run.activeSince));

/** The step of the walk at a time; undefined once it is through. */
function stepAt({ script: { walk } }: Run, activeMs: number): string | undefined {
  let until = 0;
  for (const { status, for_ms: forMs = Number.POSITIVE_INFINITY } of walk) {
    until += forMs;
    if (activeMs < until) return status;
  }
  return undefined;
}

const lengthOf = ({ script: { walk } }: Run): number =>
  walk.reduce((sum, { for_ms: forMs = Number.POSITIVE_INFINITY }) => sum + forMs, 0);

/** The same run with everything done that was due by `now`, except deeds of people. */
export function settled(run: Run, now: number): Run {
  if (run.end) return run;
  const { turn } = run;
  if (turn) return now >= turn.until ? settled(turned(run, turn), now) : run;
  if (run.activeSince === undefined || activeMsAt(run, now) < lengthOf(run)) return run;
  return ended(run, run.script.ends, run.activeSince + lengthOf(run) - run.activeMs);
}

function turned(run: Run, { shown, until }: Turn): Run {
  switch (shown) {
    case 'pausing':
      return { ...run, turn: undefined, isPaused: true };
    case 'resuming':
      return { ...run, turn: undefined, isPaused: false, activeSince: until };
    case 'stopping':
      return ended(run, run.script.stopped_as, until);
  }
}

export const ended = (run: Run, status: string, at: number): Run => ({
  ...run,
  activeMs: activeMsAt(run, at),
  activeSince: undefined,
  turn: undefined,
  isPaused: false,
  end: { status, at },
});

/** @param run settled */
export function statusOf(run: Run, now: number): string {
  if (run.end) return run.end.status;
  if (run.turn) return run.turn.shown;
  return run.isPaused ? 'paused' : (stepAt(run, activeMsAt(run, now)) ?? run.script.ends);
}

const PAUSABLE = new Set(['running']);
const STOPPABLE = new Set(['pending', 'initializing', 'running', 'pausing', 'paused', 'resuming', 'processing']);
/** Tenable Vulnerability Management answers 409 to a stop in any other state. */
export const CLOUD_STOPPABLE: ReadonlySet<string> = new Set(['pending', 'running', 'resuming']);

/** What an order makes of a settled run; undefined when its state does not allow it. */
export function ordered(
  run: Run,
  order: Order,
  now: number,
  stoppable: ReadonlySet<string> = STOPPABLE,
): Run | undefined {
  const status = statusOf(run, now);
  if (run.end) return undefined;
  const turning = (shown: Turn['shown']): Run => ({
    ...run,
    activeMs: activeMsAt(run, now),
    activeSince: undefined,
    turn: { shown, until: now + run.script.turn_ms },
  });
  switch (order) {
    case 'pause':
      return PAUSABLE.has(status) ? turning('pausing') : undefined;
    case 'resume':
      return run.isPaused && !run.turn ? turning('resuming') : undefined;
    case 'stop':
      return stoppable.has(status) ? turning('stopping') : undefined;
    case 'kill':
      return ended(run, run.script.stopped_as, now);
  }
}

/** Milliseconds the scan has spent in `running` so far, and all it will; without bound when nobody knows. */
export function runningMs(run: Run, now: number): { spent: number; whole: number } {
  const active = activeMsAt(run, now);
  let from = 0;
  let spent = 0;
  let whole = 0;
  for (const { status, for_ms: forMs = Number.POSITIVE_INFINITY } of run.script.walk) {
    if (status === 'running') {
      spent += Math.max(0, Math.min(active - from, forMs));
      whole += forMs;
    }
    from += forMs;
  }
  return { spent, whole };
}
