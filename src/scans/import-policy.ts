import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Caller } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import type { ReportedHost } from '../findings/findings.ts';
import type { Policy, RefusedHost } from '../policy/policy.ts';

/** Judged in one go, so that other calls have their turn in between. */
const PART = 100;
/** Refused hosts an error names. */
const NAMED = 20;
/** Fixes it names. */
const FIXES = 3;

/** @returns the refusal when any host of a report lies outside the scope; it names the first few and counts the rest. */
export async function refuseHosts(
  policy: Policy,
  hosts: readonly ReportedHost[],
  caller: Pick<Caller, 'tenant'>,
): Promise<AppError | undefined> {
  const named: RefusedHost[] = [];
  let refused = 0;
  for (let start = 0; start < hosts.length; start += PART) {
    const found = policy.judgeReported(hosts.slice(start, start + PART), caller);
    refused += found.length;
    named.push(...found.slice(0, NAMED - named.length));
    await yieldToOthers();
  }
  return refused === 0 ? undefined : refusal(named, refused, hosts.length);
}

function refusal(named: readonly RefusedHost[], refused: number, all: number): AppError {
  const reasons = named.slice(0, FIXES).map(({ reason }) => reason);
  const fixes = [...new Set(named.slice(0, FIXES).map(({ fix }) => fix))];
  const more = refused > FIXES ? ` And ${refused - FIXES} more (the first ${named.length} are in targets).` : '';
  const what = `${refused} of the ${all} ${all === 1 ? 'host' : 'hosts'} in the report may not be here.`;
  return new AppError('target_denied', `${what} ${reasons.join(' ')}${more}`, {
    hint: `${fixes.join(' ')} Nothing was imported. Do not retry.`,
    targets: named.map(({ host }) => host),
  });
}
