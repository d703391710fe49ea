import { intensityRank, type Intensity } from '../model/scan.ts';
import type { Target } from '../model/target.ts';
import { parseAddress, single } from './address.ts';
import {
  DEFAULT_DENY,
  decideRange,
  refuseThroughName,
  type Refusal,
  type Scope,
  type Verdict,
} from './decide-range.ts';
import {
  allowCommand,
  deniesByName,
  isActive,
  namesTarget,
  rangesFor,
  type AllowRule,
  type PolicyRules,
} from './rules.ts';
import { isLoopback, isMetadataName } from './special-ranges.ts';
import { rangeOfTarget } from './target.ts';

/** Pure: what the rules say of a target. A name is decided once its addresses are known. */
export interface Decider {
  /** The verdict as far as no lookup is needed; `resolve` when the addresses of the name decide. */
  beforeLookup(target: Target): Verdict | 'resolve';
  /** @param addresses every answer of the lookup, canonical. */
  afterLookup(target: Target, addresses: readonly string[]): Verdict;
  /** Set when no entry that covers the target lets a scan be this hard. */
  tooHard(by: readonly AllowRule[], intensity: Intensity): Refusal | undefined;
}

/** @param now epoch milliseconds; entries that have expired by then do not count. */
export function createDecider(rules: PolicyRules, now: number): Decider {
  const scopeFor = (target: Target): Scope => ({ rules, now, opens: (rule) => rangesFor(rule, target) });
  const naming = (target: Target): AllowRule[] =>
    rules.allow.filter((rule) => isActive(rule, now) && namesTarget(rule.matcher, target));
  return {
    beforeLookup(target) {
      const denied = rules.deny.find((rule) => deniesByName(rule.matcher, target));
      if (denied) return { allowed: false, ...byName(denied.text) };
      const range = rangeOfTarget(target);
      if (range) return decideRange(range, scopeFor(target));
      return beforeName(target, naming(target), rules, now);
    },
    afterLookup: (target, addresses) => decideName(target, addresses, naming(target), scopeFor(target)),
    tooHard: (by, intensity) => tooHard(by, intensity, rules),
  };
}

const hostOf = (target: Target): string =>
  target.kind === 'host' || target.kind === 'url' ? target.host : target.text;

const byName = (text: string): Refusal => ({
  rule: `deny ${text}`,
  because: `is denied by the policy (deny ${text})`,
  fix: `Operator: take ${text} out of \`deny\` in the policy file.`,
});

function beforeName(target: Target, named: readonly AllowRule[], rules: PolicyRules, now: number): Verdict | 'resolve' {
  const host = hostOf(target);
  const isExact = named.some(({ matcher }) => matcher.host === host || matcher.url?.host === host);
  if (isMetadataName(host) && !isExact) {
    const fix = `It must be named exactly. Operator: ${allowCommand(rules, host)}.`;
    return { allowed: false, rule: 'always denied: metadata', because: 'is always denied (metadata)', fix };
  }
  if (named.length > 0 || host === 'localhost') return 'resolve';
  // A name is only worth a lookup when some entry could hold its addresses: a lookup tells its DNS server something.
  const couldHold = rules.allow.some(
    (rule) => isActive(rule, now) && rule.matcher.ranges.some((range) => !isLoopback(range)),
  );
  if (couldHold && !isInternal(host)) return 'resolve';
  return { allowed: false, ...outsideByName(target, rules) };
}

/** `.internal` is where clouds keep their metadata services: an entry must name it, an address range is not enough. */
const isInternal = (host: string): boolean => host.endsWith('.internal');

const outsideByName = (target: Target, rules: PolicyRules): Refusal => ({
  rule: DEFAULT_DENY,
  because: 'is outside the scope (default deny)',
  fix: `Operator: ${allowCommand(rules, hostOf(target))}.`,
});

function decideName(target: Target, addresses: readonly string[], named: readonly AllowRule[], scope: Scope): Verdict {
  const by: AllowRule[][] = [];
  for (const address of addresses) {
    const verdict = decideAnswer(target, address, named, scope);
    if (!verdict.allowed) return { ...verdict, because: `resolves to ${address}, which ${verdict.because}` };
    by.push([...verdict.by]);
  }
  if (by.length === 0) return { allowed: false, ...outsideByName(target, scope.rules) };
  return { allowed: true, by: named.length > 0 ? named : weakest(by) };
}

function decideAnswer(target: Target, address: string, named: readonly AllowRule[], scope: Scope): Verdict {
  const parsed = parseAddress(address);
  if (!parsed) {
    return {
      allowed: false,
      rule: DEFAULT_DENY,
      because: 'cannot be judged',
      fix: 'Operator: check the DNS answer.',
    };
  }
  const subject = single(parsed);
  if (hostOf(target) === 'localhost') return decideLocalhost(subject, named, scope);
  const refusal = refuseThroughName(subject, scope);
  if (refusal) return { allowed: false, ...refusal };
  return named.length > 0 ? { allowed: true, by: named } : decideRange(subject, scope);
}

/** A URL entry on localhost opens loopback for that URL, although it opens no address. */
function decideLocalhost(subject: ReturnType<typeof single>, named: readonly AllowRule[], scope: Scope): Verdict {
  const opens = (rule: AllowRule) => (named.includes(rule) ? [...scope.opens(rule), subject] : scope.opens(rule));
  const verdict = decideRange(subject, { ...scope, opens });
  return verdict.allowed || verdict.rule !== DEFAULT_DENY
    ? verdict
    : { ...verdict, fix: `Operator: ${allowCommand(scope.rules, 'localhost')}.` };
}

const rankOf = (rules: readonly AllowRule[]): number =>
  Math.max(...rules.map(({ maxIntensity }) => intensityRank(maxIntensity)));

/** Of several addresses the one with the least permission decides. */
function weakest(by: readonly (readonly AllowRule[])[]): readonly AllowRule[] {
  return by.reduce((least, rules) => (rankOf(rules) < rankOf(least) ? rules : least));
}

function tooHard(by: readonly AllowRule[], intensity: Intensity, rules: PolicyRules): Refusal | undefined {
  if (rankOf(by) >= intensityRank(intensity)) return undefined;
  const strongest = by.toSorted((a, b) => intensityRank(b.maxIntensity) - intensityRank(a.maxIntensity))[0];
  if (!strongest) return undefined;
  return {
    rule: `max_intensity ${strongest.maxIntensity} (allow ${strongest.text})`,
    because: `may be scanned at most at intensity ${strongest.maxIntensity}, not ${intensity}`,
    fix: `Ask for intensity ${strongest.maxIntensity}, or operator: set max_intensity: ${intensity} on the entry ${strongest.text} of policy.yaml (\`${allowCommand(rules, strongest.text)}\` makes one).`,
  };
}
