import { describe, expect, it } from 'vitest';
import { AppError, ERROR_CATALOG, errorFacts, errorText, type ErrorCode } from '../../src/model/errors.ts';

const isCode = (text: string): text is ErrorCode => text in ERROR_CATALOG;
const codes = Object.keys(ERROR_CATALOG).filter(isCode);

/** What tests from outside and written agents rely on: a code may be added, never renamed. */
const PROMISED = [
  'invalid_request',
  'pool_unknown',
  'instance_unknown',
  'no_scanner_available',
  'target_invalid',
  'target_denied',
  'target_unresolvable',
  'target_unsupported',
  'option_unsupported',
  'credential_unknown',
  'credential_denied',
  'idempotency_conflict',
  'scan_not_found',
  'scan_not_finished',
  'finding_not_found',
  'cursor_invalid',
  'quota_exceeded',
  'rate_limited',
  'queue_unavailable',
  'storage_full',
  'scanner_unreachable',
  'scanner_login_failed',
  'scanner_edition_forbids_api',
  'scan_timed_out',
  'scan_aborted',
  'report_unreadable',
  'forbidden',
  'internal_error',
];

describe('the error catalogue', () => {
  it('has every code that was promised', () => {
    expect(PROMISED.filter((code) => !isCode(code))).toEqual([]);
  });

  it.each(codes)('%s is a plain word and says in a short sentence what to do', (code) => {
    const { hint } = ERROR_CATALOG[code];
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(hint).toMatch(/^[A-Z`a-z].{10,140}\.$/);
  });

  it('tells an agent not to retry what only an operator can change', () => {
    for (const code of codes) {
      if (/Do not retry/.test(ERROR_CATALOG[code].hint)) expect(ERROR_CATALOG[code].retryable).toBe(false);
    }
  });
});

describe('an error', () => {
  it('takes hint and retryability from the catalogue', () => {
    const error = new AppError('target_denied', '10.0.0.1 is out of scope.');
    expect(errorFacts(error)).toEqual({
      code: 'target_denied',
      message: '10.0.0.1 is out of scope.',
      ...ERROR_CATALOG.target_denied,
    });
  });

  it('may know a better hint, its targets and its cause', () => {
    const cause = new Error('why');
    const error = new AppError('target_denied', 'No.', { hint: 'Ask Ann.', targets: ['a.test'], cause });
    expect(errorFacts(error)).toMatchObject({ hint: 'Ask Ann.', targets: ['a.test'] });
    expect(error.cause).toBe(cause);
    expect(errorText(errorFacts(error))).toBe('target_denied: No. Ask Ann.');
  });

  it.each([[new Error('password=hunter2')], ['password=hunter2'], [undefined], [null], [{ code: 'target_denied' }]])(
    'that nobody foresaw is an internal error without its words: %s',
    (thrown) => {
      const facts = errorFacts(thrown);
      expect(facts.code).toBe('internal_error');
      expect(JSON.stringify(facts)).not.toContain('hunter2');
    },
  );
});
