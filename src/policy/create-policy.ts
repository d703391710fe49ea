import type { Intensity } from '../model/scan.ts';
import type { Target } from '../model/target.ts';
import { parseAddress, single, type AddressRange } from './address.ts';
import type { Refusal, Verdict } from './decide-range.ts';
import { refusedFor, refuseReported } from './decide-reported.ts';
import { createDecider, type Decider } from './decide.ts';
import { createPolicySource, type PolicyInForce, type PolicyMode } from './policy-source.ts';
import type { Policy, PolicyAnswer, TargetDecision } from './policy.ts';
import { machineIpv6, resolveName, systemLookup, type Ipv6Presence, type Lookup, type Resolution } from './resolver.ts';
import { rulesFor, type AllowRule, type DenyRule, type PolicyRules } from './rules.ts';
import { addressesOf, sizeOf } from './target.ts';

export interface PolicyOptions {
  /** Path of `policy.yaml`; it need not exist. */
  readonly file: string;
  readonly mode: PolicyMode;
  readonly clock: { now(): number };
  readonly lookup?: Lookup;
  readonly hasIpv6?: () => Ipv6Presence;
  /**
   * Addresses of the scanner's own control: Nessus hosts, this server, a proxy. Always denied unless an entry names
   * them; loopback is left out, where only ports tell services apart.
   */
  readonly ownAddresses?: () => readonly string[];
}

/** Names looked up at the same time; getaddrinfo has four threads for the whole process. */
const LOOKUPS_AT_ONCE = 8;

/** The policy of a `policy.yaml`, read again when the file changes; the file is looked at on every check. */
export function createPolicy(options: PolicyOptions): Policy {
  const { lookup = systemLookup, hasIpv6 = machineIpv6 } = options;
  const inForce = createPolicySource({ ...options, ownAddresses: () => ownRanges(options.ownAddresses?.() ?? []) });
  const inForceFor = (tenant: string): TenantPolicy => {
    const policy = inForce();
    return { ...policy, rules: rulesFor(policy.rules, tenant) };
  };
  return {
    async check(targets, { intensity, caller }, signal) {
      signal.throwIfAborted();
      const policy = inForceFor(caller.tenant);
      const hosts = Math.min(
        targets.reduce((sum, target) => sum + sizeOf(target), 0),
        Number.MAX_SAFE_INTEGER,
      );
      const decider = createDecider(policy.rules, options.clock.now());
      const tooMany = hosts > policy.rules.maxHosts ? tooManyHosts(hosts, policy) : undefined;
      const ask: Ask = {
        policy,
        decider,
        intensity,
        tooMany,
        hasIpv6,
        resolve: once(lookup, hasIpv6, signal),
        tooHard: new Set(),
      };
      return recounted(await decideAll(targets, ask), hosts, ask);
    },
    judgeReported(hosts, { tenant }) {
      const { rules, lastError } = inForceFor(tenant);
      const now = options.clock.now();
      if (lastError !== undefined) return hosts.map((host) => refusedFor(host, brokenPolicy));
      return hosts.flatMap((host) => refuseReported(host, rules, now) ?? []);
    },
    describe(of) {
      const isAll = of === 'every tenant';
      const { source, rules, lastError } = isAll ? inForce() : inForceFor(of.tenant);
      const now = options.clock.now();
      return {
        source,
        allow: rules.allow.map((rule) => `${shownRule(rule, now)}${isAll ? shownTenants(rule) : ''}`),
        deny: rules.deny.map((rule) => `${rule.text}${isAll ? shownTenants(rule) : ''}`),
        maxHosts: rules.maxHosts,
        maxIntensity: rules.maxIntensity,
        ...(lastError === undefined ? {} : { lastError }),
      };
    },
  };
}

/** What is in force for one tenant. */
interface TenantPolicy extends PolicyInForce {
  readonly rules: PolicyRules;
}

interface Ask {
  readonly policy: TenantPolicy;
  readonly decider: Decider;
  readonly intensity: Intensity;
  readonly tooMany: Refusal | undefined;
  readonly hasIpv6: () => Ipv6Presence;
  readonly resolve: (host: string) => Promise<Resolution>;
  /** Decisions that refuse only because the scan is too hard. */
  readonly tooHard: Set<TargetDecision>;
}

const ownRanges = (texts: readonly string[]): AddressRange[] =>
  texts.flatMap((text) => {
    const address = parseAddress(text);
    return address ? [single(address)] : [];
  });

function shownRule({ text, expiresAt }: AllowRule, now: number): string {
  if (expiresAt === undefined) return text;
  const lastDay = new Date(expiresAt - 1).toISOString().slice(0, 10);
  return `${text} (${now < expiresAt ? 'until' : 'expired'} ${lastDay})`;
}

const shownTenants = ({ tenants }: DenyRule): string => (tenants === undefined ? '' : ` for ${tenants.join(', ')}`);

const tooManyHosts = (hosts: number, { rules }: PolicyInForce): Refusal => ({
  rule: 'max_hosts',
  because: `The request covers ${hosts.toLocaleString('en')} addresses; one scan may cover ${rules.maxHosts} (max_hosts).`,
  fix: 'Scan smaller networks, or operator: raise max_hosts in the policy file.',
});

/** One lookup per name and request, so that two targets of one name cannot get two answers. */
function once(lookup: Lookup, hasIpv6: () => Ipv6Presence, signal: AbortSignal): Ask['resolve'] {
  const asked = new Map<string, Promise<Resolution>>();
  return (host) => {
    const known = asked.get(host);
    if (known) return known;
    const made = resolveName(host, { lookup, hasIpv6 }, signal);
    asked.set(host, made);
    return made;
  };
}

async function decideAll(targets: readonly Target[], ask: Ask): Promise<TargetDecision[]> {
  const decisions: TargetDecision[] = [];
  for (let start = 0; start < targets.length; start += LOOKUPS_AT_ONCE) {
    const batch = targets.slice(start, start + LOOKUPS_AT_ONCE);
    decisions.push(...(await Promise.all(batch.map((target) => decideTarget(target, ask)))));
  }
  return decisions;
}

async function decideTarget(target: Target, ask: Ask): Promise<TargetDecision> {
  if (ask.policy.lastError !== undefined) return refuseTarget(target, brokenPolicy);
  const verdict = ask.decider.beforeLookup(target);
  if (verdict !== 'resolve') return settle(target, verdict, rangeAddresses(target), ask);
  if (ask.tooMany) return refuseTarget(target, asPart(ask.tooMany));
  const host = target.kind === 'host' || target.kind === 'url' ? target.host : target.text;
  const found = await ask.resolve(host);
  if (found.kind === 'none') {
    const refusal = { rule: 'name resolution', because: found.why, fix: 'Check the name, or give the address.' };
    return { ...refuseTarget(target, refusal), unresolvable: true };
  }
  const resolved = { shown: found.addresses, pins: reachable(found.addresses, ask.hasIpv6()) };
  return settle(target, ask.decider.afterLookup(target, found.addresses), resolved, ask);
}

const brokenPolicy: Refusal = {
  rule: 'broken policy file',
  because: 'is denied: the policy file cannot be used, so nothing is allowed',
  fix: 'Operator: run scanmux doctor, which shows what is wrong with it.',
};

/** A refusal of the whole request, as the reason of one target. */
const asPart = (refusal: Refusal): Refusal => ({ ...refusal, because: 'is part of a request over max_hosts' });

const refuseTarget = (
  target: Target,
  { rule, because, fix }: Refusal,
  resolved: readonly string[] = [],
): TargetDecision => ({
  target,
  allowed: false,
  rule,
  reason: `${target.text} ${because}.`,
  fix,
  resolved,
});

interface Resolved {
  readonly shown: readonly string[];
  /** A thunk: a network is only written out once it is known to be small and allowed. */
  readonly pins: () => readonly string[];
}

function rangeAddresses(target: Target): Resolved {
  if (target.kind === 'network') return { shown: [target.first, target.last], pins: () => [...addressesOf(target)] };
  const all = [...addressesOf(target)];
  return { shown: all, pins: () => all };
}

/** IPv6 answers are set aside on a machine without IPv6, unless they are all there is. `::1` was checked before. */
function reachable(addresses: readonly string[], ipv6: Ipv6Presence): () => readonly string[] {
  const near = addresses.filter((address) => ipv6.global || !address.includes(':') || address === '::1');
  return () => (near.length > 0 ? near : addresses);
}

function settle(target: Target, verdict: Verdict, { shown, pins }: Resolved, ask: Ask): TargetDecision {
  if (!verdict.allowed) return refuseTarget(target, verdict, shown);
  const tooHard = ask.decider.tooHard(verdict.by, ask.intensity);
  if (tooHard) {
    const decision = refuseTarget(target, tooHard, shown);
    ask.tooHard.add(decision);
    return decision;
  }
  if (ask.tooMany) return refuseTarget(target, asPart(ask.tooMany), shown);
  const addresses = pins();
  const skipped = target.kind === 'network' ? [] : shown.filter((address) => !addresses.includes(address));
  return {
    target,
    allowed: true,
    rule: `allow ${verdict.by[0]?.text ?? ''}`,
    reason: `${target.text} is in scope.`,
    resolved: shown,
    pinned: { target, addresses },
    ...(skipped.length > 0 ? { skipped } : {}),
  };
}

/** A name counts as one until it is looked up, and then as all the addresses that would be scanned. */
function recounted(targets: readonly TargetDecision[], named: number, ask: Ask): PolicyAnswer {
  if (ask.tooMany) return answer(targets, named, ask);
  const hosts = targets.reduce((sum, { target, pinned }) => sum + (pinned?.addresses.length ?? sizeOf(target)), 0);
  if (hosts <= ask.policy.rules.maxHosts) return answer(targets, hosts, ask);
  const tooMany = tooManyHosts(hosts, ask.policy);
  const none = targets.map((decision) =>
    decision.allowed ? refuseTarget(decision.target, asPart(tooMany), decision.resolved) : decision,
  );
  return answer(none, hosts, { ...ask, tooMany });
}

function answer(targets: readonly TargetDecision[], hosts: number, { tooMany, tooHard }: Ask): PolicyAnswer {
  const refused = targets.filter((decision) => !decision.allowed);
  const plain = { allowed: tooMany === undefined && refused.length === 0, targets, hosts };
  if (tooMany) return { ...plain, refusal: { reason: tooMany.because, fix: tooMany.fix } };
  const [first] = refused;
  if (!first || !refused.every((decision) => tooHard.has(decision))) return plain;
  return { ...plain, refusal: { reason: first.reason, fix: first.fix ?? '' } };
}
