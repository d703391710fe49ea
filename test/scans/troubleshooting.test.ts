import { describe, expect, it } from 'vitest';
import { LOGIN_ADVICE, LoginProblem, type LoginProblems } from '../../src/model/login-problem.ts';
import type { ScanRecord, ScanResult } from '../../src/model/scan.ts';
import { troubleshooting } from '../../src/scans/troubleshooting.ts';

const result = (
  authentication: ScanResult['authentication'],
  problems?: LoginProblems,
  coverage: Partial<ScanResult['coverage']> = {},
): ScanResult => ({
  verdict: 'partial',
  coverage: {
    requested: 4,
    tested: 4,
    partial: 0,
    unreachable: 0,
    not_tested: 0,
    looked_for: [],
    not_looked_for: [],
    ...coverage,
  },
  findings: 0,
  by_severity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  artefacts: [],
  ...(authentication ? { authentication } : {}),
  ...(problems ? { login_problems: problems } : {}),
});

const scan = (made: ScanResult, access: 'untrusted' | 'authenticated' = 'authenticated'): ScanRecord => ({
  scanId: 'scan_0123456789abcdefghjk',
  tenant: 'local',
  traceId: '0'.repeat(32),
  request: {
    access,
    targets: ['10.0.0.0/30'],
    pool: 'nessus',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
    ...(access === 'authenticated' ? { credential_ref: 'prod' } : {}),
  },
  requestHash: '',
  engine: 'nessus',
  origin: 'run',
  state: 'completed',
  epoch: 1,
  attempt: 1,
  createdAt: 0,
  cancelRequested: false,
  result: made,
});

describe('advice about logins', () => {
  it('has its own words for every reason', () => {
    expect(Object.keys(LOGIN_ADVICE).toSorted()).toEqual(LoginProblem.options.toSorted());
    expect(new Set(Object.values(LOGIN_ADVICE)).size).toBe(LoginProblem.options.length);
  });

  it('fits the reasons the scanner gave, the most frequent first', () => {
    const advice = troubleshooting(
      scan(result({ success: 1, partial: 1, failed: 2 }, { needs_privilege: 1, refused: 2 })),
    );
    expect(advice[0]).toContain('worked on 1 host, in part on 1, and failed on 2');
    expect(advice[1]).toBe(`Login, 2 hosts: ${LOGIN_ADVICE.refused}`);
    expect(advice[2]).toBe(`Login, 1 host: ${LOGIN_ADVICE.needs_privilege}`);
    expect(advice).toHaveLength(3);
  });

  it('is given about a login that is still at the scanner', () => {
    const left = 'Operator: delete scan 7 there.';
    expect(troubleshooting(scan({ ...result({ success: 4, partial: 0, failed: 0 }), left_behind: left }))).toEqual([
      left,
    ]);
  });

  it('is given where no login was tried at all', () => {
    const advice = troubleshooting(scan(result(undefined, { no_credentials_for_service: 4 })));
    expect(advice[0]).toContain('No host says that a login with prod was tried');
    expect(advice[1]).toContain(LOGIN_ADVICE.no_credentials_for_service);
  });

  it('is not given for a scan that was to log in nowhere, nor for one that could', () => {
    expect(troubleshooting(scan(result(undefined, { no_credentials_for_service: 4 }), 'untrusted'))).toEqual([]);
    expect(troubleshooting(scan(result({ success: 4, partial: 0, failed: 0 })))).toEqual([]);
  });
});
