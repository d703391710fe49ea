import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG, type ErrorCode } from '../../src/model/errors.ts';
import { mayRetry, retryDelayMs } from '../../src/worker/retry.ts';
import { createStopButton, StopRequest } from '../../src/worker/stop.ts';

const settings = { maxAttempts: 3, baseMs: 2_000, capMs: 60_000 };
const facts = (code: ErrorCode) => ({ code, message: '', ...ERROR_CATALOG[code] });

describe('whether another attempt follows', () => {
  it.each([
    ['scanner_unreachable', [true, true, false]],
    ['rate_limited', [true, true, false]],
    ['storage_full', [true, true, false]],
    ['storage_unavailable', [true, true, false]],
    ['internal_error', [true, false, false]],
    ['scanner_login_failed', [false, false, false]],
    ['scanner_edition_forbids_api', [false, false, false]],
    ['report_unreadable', [false, false, false]],
    ['target_denied', [false, false, false]],
    ['scan_timed_out', [false, false, false]],
  ] as const)('after %s: %j for the first, second and third', (code, expected) => {
    expect([1, 2, 3].map((attempt) => mayRetry(facts(code), attempt, settings))).toEqual(expected);
  });

  it('is no when the operator wants one attempt only', () => {
    expect(mayRetry(facts('internal_error'), 1, { ...settings, maxAttempts: 1 })).toBe(false);
  });
});

describe('the wait before another attempt', () => {
  it('is anywhere between nothing and a bound that doubles up to the cap', () => {
    const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), unit, (attempt, random) => {
        const wait = retryDelayMs(attempt, settings, () => random);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(Math.min(settings.capMs, settings.baseMs * 2 ** (attempt - 1)));
        expect(Number.isInteger(wait)).toBe(true);
      }),
    );
    expect([1, 2, 3, 9].map((attempt) => retryDelayMs(attempt, settings, () => 0.5))).toEqual([
      1_000, 2_000, 4_000, 30_000,
    ]);
  });
});

describe('the stop button of an attempt', () => {
  it('keeps the first cause, but a lost lease overrides all', () => {
    const button = createStopButton();
    expect([button.cause(), button.signal.aborted]).toEqual([undefined, false]);
    button.press('cancelled');
    button.press('shutdown');
    expect([button.cause(), button.signal.aborted]).toEqual(['cancelled', true]);
    expect(button.signal.reason).toEqual(new StopRequest('cancelled'));
    button.press('lease_lost');
    button.press('timed_out');
    expect(button.cause()).toBe('lease_lost');
  });
});
