import type { Place } from './coverage.ts';
import type { LoginProblem } from './login-problem.ts';
import type { Occurrence, ParsedFinding, RuleFacts } from './finding.ts';

/**
 * What a report proves was looked at, beyond which hosts. A later comparison says `fixed` only where the later scan
 * looked again, and `new` only where the earlier one did. Several of them add up. What is never said is not proven.
 */
export interface ReportScope {
  /** The place it holds for, as in `Place`; absent: for every place of the report. */
  readonly place?: string;
  /** Ports that were tried, as `1-1024,8080`; `all` for 1-65535. Absent: not said. */
  readonly tcpPorts?: string;
  readonly udpPorts?: string;
  /**
   * A list of ports of the engine's own that was tried besides these, by its name: the report does not spell it out. A
   * port that a scan found by such a list is in the same list of another scan.
   */
  readonly tcpPortList?: string;
  readonly udpPortList?: string;
  /** Each of the ports named here answered, open or closed: one at which the report has nothing was closed. */
  readonly portsAnswered?: boolean;
  /** Rule families that ran (as in `rule_family`). `*` for all there are. */
  readonly families?: readonly string[];
  /** Single rules that ran, or did not although their family did (as in `rule_id`). */
  readonly rules?: readonly string[];
  readonly rulesNotRun?: readonly string[];
  /** Options made the engine report more than it does by itself: that a look without them has none of it says nothing. */
  readonly reportsMore?: boolean;
  /** ISO 8601: the engine knew what was known then at the latest. A look that knew less cannot speak for what it found. */
  readonly rulesAsOf?: string;
}

/** Who made a report, in its own words (cleaned). */
export interface ReportSource {
  /** Only a format that carries findings of other engines (scanmux's own JSONL) says which one made them. */
  readonly engine?: string;
  readonly tool?: string;
  readonly version?: string;
  /** Title the report gives itself. */
  readonly title?: string;
  /** Epoch milliseconds, UTC. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** What a report says, in the order it says it. */
export type ReportEvent =
  | { readonly kind: 'source'; readonly source: ReportSource }
  | { readonly kind: 'place'; readonly place: Place }
  /** Of one host: the main reason why a login there did not work, or not for everything. */
  | { readonly kind: 'login_problem'; readonly problem: LoginProblem }
  | { readonly kind: 'finding'; readonly finding: ParsedFinding }
  /**
   * The same in two parts, for reports with many findings of one check: an equal `rule` should be the same object every
   * time, so that it is validated, enriched and stored once. `occurrence` must come out of `Occurrence.parse`, or of code
   * that is tested to give exactly what that gives.
   */
  | {
      readonly kind: 'occurrence';
      readonly rule: RuleFacts;
      readonly occurrence: Occurrence;
      /** The same promise for `rule` and `RuleFacts.parse`: else it is parsed by whoever hears it. */
      readonly isRuleTested?: true;
    }
  | { readonly kind: 'scope'; readonly scope: ReportScope }
  /** Kinds of check that ran, and those that did not with the reason (`tls: no TLS port was open`). May repeat. */
  | { readonly kind: 'checks'; readonly lookedFor: readonly string[]; readonly notLookedFor: readonly string[] }
  /** The engine's own positive word that it was done. A report without it was cut short. */
  | { readonly kind: 'end' };
