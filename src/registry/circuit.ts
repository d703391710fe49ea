import type { Circuit } from './registry.ts';

/** State of one circuit breaker. Times are those of a monotonic clock, in milliseconds. */
export type CircuitState =
  | { readonly kind: 'closed'; readonly failures: number }
  /** From `trialAt` on it counts as half open: one scan may try. `waitMs` is what the next wait doubles. */
  | { readonly kind: 'open'; readonly trialAt: number; readonly waitMs: number };

export const CLOSED: CircuitState = { kind: 'closed', failures: 0 };

const FAILURES_TO_OPEN = 3;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Share of a wait that is added at random, so that workers which failed together do not come back together. */
const JITTER = 0.1;

/** What the circuit is at `nowMs`: an open one becomes half open by itself when its wait is over. */
export function circuitAt(state: CircuitState, nowMs: number): Circuit {
  if (state.kind === 'closed') return 'closed';
  return nowMs >= state.trialAt ? 'half_open' : 'open';
}

export const afterSuccess = (): CircuitState => CLOSED;

/**
 * The third failure in a row opens it; a failed trial doubles the wait. Failures of scans that were already running
 * when it opened change nothing.
 * @param random Uniform in [0, 1).
 */
export function afterFailure(state: CircuitState, nowMs: number, random: () => number): CircuitState {
  if (state.kind === 'closed') {
    const failures = state.failures + 1;
    return failures < FAILURES_TO_OPEN ? { kind: 'closed', failures } : open(FIRST_WAIT_MS, nowMs, random);
  }
  if (circuitAt(state, nowMs) === 'open') return state;
  return open(Math.min(state.waitMs * 2, LONGEST_WAIT_MS), nowMs, random);
}

const open = (waitMs: number, nowMs: number, random: () => number): CircuitState => ({
  kind: 'open',
  trialAt: nowMs + Math.floor(waitMs * (1 + JITTER * random())),
  waitMs,
});
