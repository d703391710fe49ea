import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoginOutcome } from '../../../src/model/coverage.ts';
import { loginReason, type LoginProblem } from '../../../src/model/login-problem.ts';
import type { ReportEvent } from '../../../src/model/report.ts';
import { parseNessus } from '../../../src/scanners/nessus/parse.ts';
import { parseAll } from '../../contracts/scanner-contract.ts';
import { openLab, type Lab } from './live/harness.ts';
import { child, item, host, report } from './documents.ts';
import { LOGIN_OUTCOMES } from '../../../src/simulators/nessus/report/login-items.ts';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const problemsIn = (events: readonly ReportEvent[]): LoginProblem[] =>
  events.flatMap((event) => (event.kind === 'login_problem' ? [event.problem] : []));

const loginsIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'place' ? [event.place.login] : []));

async function eventsOf(text: string, asked?: { login: boolean }): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of parseNessus(Readable.from([Buffer.from(text)]), asked)) events.push(event);
  return events;
}

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

  const said = (text: string, id: string): string => item(child('plugin_output', text), { id, port: '0' });
  const denied = said('Credentialed checks : no', '19506');
  it.each([
    ['19506 alone', denied, 'unknown'],
    ['no credentials for the service', denied + said('', '110723'), 'no_credentials_for_service'],
    ['no patch assessment', said('', '117886'), 'unknown'],
  ] as const)('is told from little where the scan was to log in: %s', async (_, items, problem) => {
    const text = report(host(items));
    expect(loginsIn(await eventsOf(text))).toEqual([undefined]);
    const events = await eventsOf(text, { login: true });
    expect(loginsIn(events)).toEqual(['failed']);
    expect(problemsIn(events)).toEqual([problem]);
  });

  it('is no question where the scan was to log in and nothing speaks of it', async () => {
    expect(loginsIn(await eventsOf(report(host(item())), { login: true }))).toEqual([undefined]);
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
