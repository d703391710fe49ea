import { AppError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import { formatAddress, parseAddress, range, type AddressRange } from './address.ts';
import { DEFAULT_DENY, decideRange, refuseThroughName, type Refusal, type Scope } from './decide-range.ts';
import type { NamedHost, RefusedHost } from './policy.ts';
import { allowCommand, deniesByName, isActive, namesTarget, rangesFor, type PolicyRules } from './rules.ts';
import { isMetadataName } from './special-ranges.ts';
import { parseTarget, rangeOfTarget } from './target.ts';

type HostTarget = Extract<Target, { kind: 'host' }>;

/**
 * Judges a host of a report as the report names it: it is in scope when its address is, or when an entry names it and
 * nothing forbids its address. Nothing is resolved: a report tells of another day, and a lookup tells its DNS server
 * something.
 * @param now epoch milliseconds; entries that have expired by then do not count.
 * @returns undefined when it is in scope.
 */
export function refuseReported(reported: NamedHost, rules: PolicyRules, now: number): RefusedHost | undefined {
  const targets = targetsOf(reported);
  if (targets.length === 0 && isNowhere(reported.name)) return undefined;
  const refusal = targets.length > 0 ? refusalOf(targets, rules, now) : NAMELESS;
  return refusal && refusedFor(reported, refusal);
}

/** @param reported may hold any words; only a plain name or an address is quoted. */
export function refusedFor(reported: NamedHost, { rule, because, fix }: Refusal): RefusedHost {
  const host = targetsOf(reported)[0]?.text ?? quotable(reported.name);
  return { host, rule, reason: `${host} ${because}.`, fix };
}

const targetsOf = ({ name, address }: NamedHost): readonly Target[] =>
  [addressOf(address), nameOf(name)].filter((target) => target !== undefined);

/** Four numbers, one of them too large, as in made-up reports: no address to any program, and no name can end so. */
const isNowhere = (name = ''): boolean =>
  /^(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){3}$/.test(name) && name.split('.').some((part) => Number(part) > 255);

const NAMELESS: Refusal = {
  rule: DEFAULT_DENY,
  because: 'can be in no scope: its name is no host name',
  fix: 'Take it out of the report.',
};

/** Words of a report do not belong in ours, unless they are a plain name. */
const quotable = (name = ''): string => (/^[\w.-]{1,253}$/.test(name) ? name : '(a host without a host name)');

/** A zone says on which link an address counts, which is nothing a policy knows. */
function addressOf(text = ''): Target | undefined {
  const address = parseAddress(text.replace(/%.*$/s, ''));
  if (!address) return undefined;
  const plain = formatAddress(address);
  return { kind: 'address', text: plain, address: plain };
}

/** Undefined for a name that no entry of a policy could mean. */
function nameOf(text = ''): Target | undefined {
  try {
    const target = parseTarget(text.replace(/\.$/, ''));
    return target.kind === 'host' || target.kind === 'address' ? target : undefined;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function refusalOf(targets: readonly Target[], rules: PolicyRules, now: number): Refusal | undefined {
  for (const target of targets) {
    const denied = rules.deny.find(({ matcher }) => deniesByName(matcher, target));
    if (denied) return deniedByName(denied.text);
  }
  const host = targets.find((target) => target.kind === 'host');
  const ranges = targets.flatMap((target) => rangeOfTarget(target) ?? []);
  const scopeFor = (target: Target): Scope => ({ rules, now, opens: (rule) => rangesFor(rule, target) });
  const refusals = rangesWith(host, ranges).flatMap((subject): Refusal[] => {
    const verdict = targets[0] ? decideRange(subject, scopeFor(targets[0])) : undefined;
    return !verdict || verdict.allowed ? [] : [verdict];
  });
  if (refusals.length === 0 && rangesWith(host, ranges).length > 0) return undefined;
  if (!host || !isNamed(host, rules, now)) return refusals[0] ?? outside(host, rules);
  return ranges.map((subject) => refuseThroughName(subject, scopeFor(host))).find((found) => found !== undefined);
}

const LOCALHOST = range('127.0.0.1');

/** A report that says localhost and no more means loopback. */
const rangesWith = (host: HostTarget | undefined, ranges: readonly AddressRange[]): readonly AddressRange[] =>
  ranges.length === 0 && host?.host === 'localhost' ? [LOCALHOST] : ranges;

/** By an entry for the host or its domain; localhost is an address, whoever says it. An entry for a URL opens that URL only, and a report is about a host. */
const isNamed = (host: HostTarget, rules: PolicyRules, now: number): boolean =>
  host.host !== 'localhost' &&
  rules.allow.some(
    (rule) =>
      isActive(rule, now) &&
      namesTarget(rule.matcher, host) &&
      (!isMetadataName(host.host) || rule.matcher.host === host.host),
  );

const deniedByName = (text: string): Refusal => ({
  rule: `deny ${text}`,
  because: `is denied by the policy (deny ${text})`,
  fix: `Operator: take ${text} out of \`deny\` in the policy file.`,
});

const outside = (host: HostTarget | undefined, rules: PolicyRules): Refusal => ({
  rule: DEFAULT_DENY,
  because: 'is outside the scope (default deny; the names in a report are not looked up)',
  fix: `Operator: ${allowCommand(rules, host?.host ?? '<host>')}.`,
});
