import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeadLetter, isFinal, requestHash, ScanRequest, ScanState, TRANSITIONS } from '../../src/model/scan.ts';

const states = ScanState.options;

describe('the state machine', () => {
  it('knows every state', () => {
    expect(Object.keys(TRANSITIONS).toSorted()).toEqual([...states].toSorted());
  });

  it('lets a finished scan go nowhere, but a dead letter back to queued', () => {
    for (const state of states.filter(isFinal))
      expect(TRANSITIONS[state]).toEqual(isDeadLetter(state) ? ['queued'] : []);
  });

  it('leaves no unfinished state without a way to be cancelled, and none stays as it is', () => {
    for (const state of states) {
      expect(TRANSITIONS[state]).not.toContain(state);
      if (!isFinal(state)) expect(TRANSITIONS[state]).toContain('cancelled');
    }
  });

  it('completes and times out only what ran', () => {
    const sources = (target: ScanState): ScanState[] => states.filter((state) => TRANSITIONS[state].includes(target));
    expect(sources('completed')).toEqual(['running']);
    expect(sources('timed_out')).toEqual(['running']);
    expect(sources('running')).toEqual(['queued']);
    expect(sources('retrying')).toEqual(['running']);
  });

  it('reaches every state from queued', () => {
    const reached = new Set<ScanState>(['queued']);
    for (const state of reached) for (const next of TRANSITIONS[state]) reached.add(next);
    expect([...reached].toSorted()).toEqual([...states].toSorted());
  });
});

const optionalText = fc.option(fc.string({ minLength: 1, maxLength: 12 }), { nil: undefined });
const request = fc.record(
  {
    access: fc.constantFrom('untrusted', 'authenticated'),
    targets: fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
    pool: fc.string({ minLength: 1, maxLength: 12 }),
    pinned_instance: optionalText,
    intensity: fc.constantFrom('light', 'standard', 'intrusive'),
    ports: optionalText,
    credential_ref: optionalText,
    priority: fc.integer({ min: 1, max: 10 }),
    project_id: optionalText,
    max_duration_minutes: fc.integer({ min: 1, max: 1440 }),
  },
  { requiredKeys: ['access', 'targets', 'pool', 'intensity', 'priority', 'max_duration_minutes'] },
);

/** Keys without a value say the same as keys that are not there. */
const parsed = (value: object): ScanRequest =>
  ScanRequest.parse(Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)));

describe('the request hash', () => {
  it('does not depend on the order of the keys, nor on keys without a value', () => {
    const shuffled = request.chain((value) => {
      const entries = Object.entries(value);
      return fc.tuple(
        fc.constant(value),
        fc.shuffledSubarray(entries, { minLength: entries.length, maxLength: entries.length }),
      );
    });
    fc.assert(
      fc.property(shuffled, ([value, entries]) => {
        expect(requestHash(parsed(Object.fromEntries(entries)))).toBe(requestHash(parsed(value)));
      }),
    );
  });

  it('differs between requests that differ', () => {
    const canonical = (value: ScanRequest): string => JSON.stringify(value, Object.keys(value).toSorted());
    fc.assert(
      fc.property(request, request, (first, second) => {
        const [a, b] = [parsed(first), parsed(second)];
        expect(requestHash(a) === requestHash(b)).toBe(canonical(a) === canonical(b));
      }),
    );
  });

  it('differs when a value moves to another key', () => {
    const base = parsed({
      access: 'untrusted',
      targets: ['127.0.0.1'],
      pool: 'baseline',
      intensity: 'light',
      priority: 5,
      max_duration_minutes: 5,
    });
    expect(requestHash({ ...base, ports: '80' })).not.toBe(requestHash({ ...base, project_id: '80' }));
    expect(requestHash({ ...base, priority: 6, max_duration_minutes: 5 })).not.toBe(
      requestHash({ ...base, priority: 5, max_duration_minutes: 6 }),
    );
  });
});
