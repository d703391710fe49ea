import type { Severity } from '../model/finding.ts';
import type { Claim } from './place-claims.ts';
import type { FindingFilter, FindingsRef, ShownFinding, Suppressions } from './findings.ts';
import type { LookFacts } from './look-proof.ts';
import type { Spelling } from './spellings.ts';

/** A question to one of many findings files. */
export interface SearchInput {
  readonly ref: FindingsRef;
  readonly filter: FindingFilter;
  readonly include_suppressed: boolean;
  readonly suppressions: Suppressions;
  /** Only findings at these places; absent: everywhere. */
  readonly claim?: Claim;
  /** Findings are shown from this place in the columns on. */
  readonly from: number;
  /** For their JSON; 0: only counted. */
  readonly max_tokens: number;
  /** The page is empty so far: a first finding that is larger than it is cut instead of left to the next page. */
  readonly must_show: boolean;
}

export interface SearchOutput {
  /** Of all that match, wherever `from` is. */
  readonly total: number;
  readonly suppressed: number;
  readonly findings: readonly ShownFinding[];
  /** The first that matches and was not shown; absent when none is left. */
  readonly next?: number;
  /** Labels of the hosts with a match, suppressed ones included; at most `MAX_HIT_HOSTS`. */
  readonly hosts: readonly string[];
  /** Other words for places, as far as they were asked about or have a match. */
  readonly spellings: readonly Spelling[];
}

export const MAX_HIT_HOSTS = 10_000;

/** A check that exists in an engine, as far as proof that it ran needs it. */
export interface KnownCheck {
  readonly rule_id: string;
  readonly rule_family?: string;
  /** Absent where it is not known. */
  readonly severity?: Severity;
  /** Only seen in reports where a login worked: it may need one. */
  readonly needsLogin?: true;
}

/** At which of these places one of the checks is proven to have run. */
export interface RanInput {
  readonly file: string;
  readonly facts: LookFacts;
  readonly places: readonly string[];
  /** `all`: the question names no check, so that only a scan that ran all it has can answer it. */
  readonly checks: readonly KnownCheck[] | 'all';
  readonly port?: number;
  /** Every one of the checks must have run, not just one. */
  readonly every?: boolean;
}

/** Another finding of the same weakness at the same place. */
export interface WitnessInput {
  readonly ref: FindingsRef;
  readonly cves: readonly string[];
  /** Labels of the host, image or file. */
  readonly labels: readonly string[];
  readonly port?: number;
  readonly package?: string;
  /** The finding itself, when it is of this scan. */
  readonly not?: string;
}

export interface Witness {
  readonly finding_id: string;
  readonly severity: string;
}

export interface PresenceInput {
  readonly file: string;
  readonly fingerprint: string;
  /** The place in the spellings a scan may know it by. */
  readonly labels: readonly string[];
}

/** `looked: false`: the scan shows nothing of a look at the place, so that absence says nothing. */
export interface Presence {
  readonly present: boolean;
  readonly looked: boolean;
}
