import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterFailure, afterSuccess, circuitAt, CLOSED, type CircuitState } from '../../src/registry/circuit.ts';

const noJitter = (): number => 0;

/** The state after failures at these times. */
const failing = (times: readonly number[], from: CircuitState = CLOSED): CircuitState =>
  times.reduce((state, at) => afterFailure(state, at, noJitter), from);

describe('the circuit breaker', () => {
  it('opens at the third failure in a row', () => {
    expect(circuitAt(failing([1, 2]), 2)).toBe('closed');
    expect(circuitAt(failing([1, 2, 3]), 3)).toBe('open');
  });

  it('forgets failures after a success', () => {
    expect(circuitAt(failing([3, 4], afterSuccess()), 4)).toBe('closed');
  });

  it('lets one scan try after 30 seconds', () => {
    const state = failing([0, 0, 0]);
    expect(circuitAt(state, 29_999)).toBe('open');
    expect(circuitAt(state, 30_000)).toBe('half_open');
    expect(circuitAt(afterSuccess(), 30_000)).toBe('closed');
  });

  it('doubles the wait with every failed trial, up to five minutes', () => {
    let state = failing([0, 0, 0]);
    const waits: number[] = [];
    for (let trial = 0; trial < 6 && state.kind === 'open'; trial += 1) {
      const at = state.trialAt;
      state = afterFailure(state, at, noJitter);
      if (state.kind === 'open') waits.push(state.trialAt - at);
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  it('does not wait longer for failures of scans that ran when it opened', () => {
    const state = failing([0, 0, 0]);
    expect(failing([10, 20, 29_999], state)).toEqual(state);
  });

  it('adds at most a tenth of the wait at random', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        const state = [1, 2, 3].reduce<CircuitState>((before) => afterFailure(before, 0, () => random), CLOSED);
        expect(state.kind === 'open' && state.trialAt).toBeGreaterThanOrEqual(30_000);
        expect(state.kind === 'open' && state.trialAt).toBeLessThanOrEqual(33_000);
      }),
    );
  });
});
