import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG, type ErrorCode } from '../../src/model/errors.ts';

/** The suite where a real client gets the code, or why no tool of today can give it. */
type Proof = { readonly in: string } | { readonly later: string };

const ERRORS = { in: 'test/e2e/errors.test.ts' };
const SCANS = { in: 'test/e2e/scan.test.ts' };
const CREDENTIALS = { in: 'test/tools/run-authenticated-scan.test.ts' };
const REMOTE = { in: 'test/scanners/nessus/live/failures.test.ts' };

/** A new code does not compile before it has its place here. */
const PROOF: Readonly<Record<ErrorCode, Proof>> = {
  invalid_request: { in: 'test/tools/arguments.test.ts' },
  config_invalid: ERRORS,
  pool_unknown: ERRORS,
  instance_unknown: ERRORS,
  no_scanner_available: ERRORS,
  target_invalid: ERRORS,
  target_denied: ERRORS,
  target_unresolvable: ERRORS,
  target_unsupported: ERRORS,
  option_unsupported: ERRORS,
  credential_unknown: CREDENTIALS,
  credential_denied: CREDENTIALS,
  credential_unavailable: { in: 'test/worker/credential.test.ts' },
  idempotency_conflict: ERRORS,
  scan_not_found: ERRORS,
  scan_not_finished: ERRORS,
  finding_not_found: ERRORS,
  cursor_invalid: ERRORS,
  quota_exceeded: { in: 'test/scans/quotas.test.ts' },
  rate_limited: REMOTE,
  queue_unavailable: ERRORS,
  storage_full: ERRORS,
  storage_unusable: ERRORS,
  storage_unavailable: { in: 'test/e2e/s3.test.ts' },
  data_too_new: ERRORS,
  scanner_unreachable: SCANS,
  scanner_login_failed: REMOTE,
  scanner_edition_forbids_api: REMOTE,
  scan_timed_out: SCANS,
  scan_aborted: { in: 'test/scanners/nmap/run.test.ts' },
  remote_scan_lost: REMOTE,
  report_unreadable: SCANS,
  unauthenticated: { in: 'test/http/auth.test.ts' },
  issuer_unavailable: { in: 'test/http/auth-oidc.test.ts' },
  forbidden: { in: 'test/scans/scopes.test.ts' },
  internal_error: SCANS,
};

describe('every error code', () => {
  it('has its place, and no code that is gone is still claimed', () => {
    expect(Object.keys(PROOF).toSorted()).toEqual(Object.keys(ERROR_CATALOG).toSorted());
  });

  it.each(Object.entries(PROOF))('%s is given to a client in a test, or says why it cannot be yet', (code, proof) => {
    if ('later' in proof) expect(proof.later).toMatch(/^[A-Z].{20,}\.$/);
    else expect(readFileSync(proof.in, 'utf8')).toContain(code);
  });

  it.each(Object.entries(ERROR_CATALOG))('%s says what to do next, in one or two short sentences', (_, { hint }) => {
    expect(hint).toMatch(/^\S.{15,140}\.$/);
  });
});
