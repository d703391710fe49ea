import type { Caller } from '../model/caller.ts';
import type { Intensity } from '../model/scan.ts';
import type { PinnedTarget, Target } from '../model/target.ts';

/** The verdict on one target, as a value: a refusal is normal. */
export interface TargetDecision {
  readonly target: Target;
  readonly allowed: boolean;
  /** The rule that decided, as the operator wrote it (`allow 10.0.0.0/8`), or `default deny`, `always denied: metadata`. */
  readonly rule: string;
  /** One sentence: why. */
  readonly reason: string;
  /** What an operator would do to allow it; absent when allowed. */
  readonly fix?: string;
  /** Checked addresses; empty when the name did not resolve or was refused before. Networks: first and last only. */
  readonly resolved: readonly string[];
  /** Set when allowed. */
  readonly pinned?: PinnedTarget;
  /** Addresses of the name that are not scanned because this machine cannot reach their family. */
  readonly skipped?: readonly string[];
  /** Set when refused because the name has no address (`target_unresolvable`). */
  readonly unresolvable?: boolean;
}

export interface PolicyAnswer {
  readonly allowed: boolean;
  readonly targets: readonly TargetDecision[];
  /**
   * Addresses the request counts against `max_hosts`: every one of networks, ranges and looked-up names, one for the
   * rest.
   */
  readonly hosts: number;
  /** Set when the request as a whole is refused (max_hosts, max_intensity). */
  readonly refusal?: { readonly reason: string; readonly fix: string };
}

/** A host as a report names it: by name, by address, or by both. */
export interface NamedHost {
  readonly name?: string;
  readonly address?: string;
}

export interface RefusedHost {
  /** Canonical where it is an address or a host name. */
  readonly host: string;
  readonly rule: string;
  /** One sentence: why. */
  readonly reason: string;
  /** What an operator would do to allow it. */
  readonly fix: string;
}

/** May this caller scan these targets, now, this hard? Asked at submit and again before the run. */
export interface Policy {
  /** Resolves names (A and AAAA, all answers), refuses when any answer is out of scope. Sends nothing to targets. */
  check(
    targets: readonly Target[],
    ask: { intensity: Intensity; caller: Caller },
    signal: AbortSignal,
  ): Promise<PolicyAnswer>;
  /**
   * Which hosts of a report made elsewhere lie outside the scope. They are judged as they are named: nothing is resolved,
   * counted or scanned. Takes some tens of microseconds for each: give it a long list in parts.
   */
  judgeReported(hosts: readonly NamedHost[], caller: Pick<Caller, 'tenant'>): readonly RefusedHost[];
  /** What is in force, for people: for one tenant; or for an operator all of it, with the tenants named. */
  describe(of: Pick<Caller, 'tenant'> | 'every tenant'): PolicySummary;
}

export interface PolicySummary {
  /** A file path, or `built-in: loopback only`, `built-in: nothing`. */
  readonly source: string;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly maxHosts: number;
  readonly maxIntensity: Intensity;
  /** Why the newest file was refused. A broken policy file allows nothing. */
  readonly lastError?: string;
}
