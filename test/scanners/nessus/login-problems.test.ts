import { afterEach, describe, expect, it } from 'vitest';
import type { LoginOutcome } from '../../../src/model/coverage.ts';
import { loginReason, type LoginProblem } from '../../../src/model/login-problem.ts';
import type { ReportEvent } from '../../../src/model/report.ts';
import { parseAll } from '../../contracts/scanner-contract.ts';
import { openLab, type Lab } from './live/harness.ts';
import { item, host, report } from './documents.ts';
import { LOGIN_OUTCOMES } from '../../../src/simulators/nessus/report/login-items.ts';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const problemsIn = (events: readonly ReportEvent[]): LoginProblem[] =>
  events.flatMap((event) => (event.kind === 'login_problem' ? [event.problem] : []));

const CASES: readonly (readonly [string, LoginOutcome | undefined, LoginProblem | undefined])[] = [
  ['success', 'success', undefined],
  ['failed', 'failed', 'refused'],
  ['wrong_key', 'failed', 'key_unusable'],
  ['insufficient_privilege', 'partial', 'needs_privilege'],
  ['needs_privilege', 'partial', 'needs_privilege'],
  ['intermittent', 'partial', 'intermittent'],
  ['patch_check_failed', 'partial', 'patch_check_failed'],
  ['service_closed', 'failed', 'no_service'],
  ['no_admin', 'partial', 'no_admin'],
  ['no_registry', 'failed', 'no_registry'],
];

describe('why a login did not work', () => {
  it.each(CASES)('is told from what Nessus reports: %s', async (login, outcome, problem) => {
    lab = await openLab({ runs: [{ login: named(login) }] });
    const attempt = await lab.attempt({
      credential: { kind: 'ssh_password', username: 'scan', password: 'a-password' },
      request: { access: 'authenticated', credential_ref: 'prod' },
    });
    const events = await parseAll(lab.scanner, attempt.report, 9_000);
    const places = events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
    expect(places.map((place) => place.login)).toEqual([outcome]);
    expect(problemsIn(events)).toEqual(problem === undefined ? [] : [problem]);
    expect(places.map(({ reason }) => reason)).toEqual([problem && loginReason(problem)]);
  });

  it('is not asked of a scan without credentials', async () => {
    lab = await openLab();
    const events = await parseAll(lab.scanner, (await lab.attempt()).report, 9_000);
    expect(problemsIn(events)).toEqual(['no_credentials_for_service']);
    expect(events.some((event) => event.kind === 'place' && event.place.login !== undefined)).toBe(false);
  });

  it('is never told by plugins about trust and shares', async () => {
    lab = await openLab();
    const items = ['51192', '21643', '66334'].map((id) => item('', { id })).join('');
    expect(problemsIn(await parseAll(lab.scanner, report(host(items))))).toEqual([]);
  });
});

function named(name: string): (typeof LOGIN_OUTCOMES)[number] {
  const known = LOGIN_OUTCOMES.find((outcome) => outcome === name);
  if (known === undefined) throw new Error(name);
  return known;
}
