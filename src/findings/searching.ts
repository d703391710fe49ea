import type { Severity } from '../model/finding.ts';
import type { Access } from './look-access.ts';
import type { FindingFilter, FindingsRef, Suppressions } from './findings.ts';
import type { LookFacts } from './look-proof.ts';
import type { PlaceList } from './place-list.ts';

/** A question to one of many findings files. */
export interface SearchInput {
  readonly ref: FindingsRef;
  readonly filter: FindingFilter;
  readonly include_suppressed: boolean;
  readonly suppressions: Suppressions;
  /** Only findings at these places; absent: everywhere. */
  readonly claim?: { readonly places: PlaceList; readonly others: boolean };
  /** Fingerprints of findings that are left out, wherever they are; `PRINT_BYTES` each, none twice. */
  readonly except?: Uint8Array;
  /** The fingerprints of what matches are wanted, up to so many. */
  readonly maxPrints?: number;
  /** Only what comes after this is named; absent: from the first one on. */
  readonly after?: SearchPosition;
  /** Matches named in `first`; 0: they are only counted. */
  readonly limit: number;
}

/** What decides the order of findings of many files: class, EPSS, CVSS and severity, each ascending. */
export type UrgencyKey = readonly [number, number, number, number];

export const byUrgency = (a: UrgencyKey, b: UrgencyKey): number =>
  a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];

/** Between two findings of a file: of equal urgency only those with a higher place in the columns come after it. */
export interface SearchPosition {
  readonly key: UrgencyKey;
  readonly index: number;
}

export interface UrgencyInput {
  readonly file: string;
  /** Place in the columns. */
  readonly index: number;
}

export interface ShowInput {
  readonly ref: FindingsRef;
  readonly suppressions: Suppressions;
  /** Places in the columns. */
  readonly indices: readonly number[];
  /** One that is larger than a whole page of this is cut. */
  readonly max_tokens: number;
}

export interface SearchOutput {
  /** Of all that match, wherever `after` is. */
  readonly total: number;
  readonly suppressed: number;
  /** The first `limit` matches after `after`, by urgency. */
  readonly first: readonly SearchPosition[];
  /** Matches that the report itself marks as gone; they are in no other number. */
  readonly gone: number;
  /**
   * Places with a match, suppressed ones included, as the file lists them; at most `MAX_HIT_PLACES`. None where the file
   * lists no places.
   */
  readonly places: readonly string[];
  /** As asked for by `maxPrints`: of all that match, suppressed ones included; absent when there are more. */
  readonly prints?: Uint8Array;
}

export const MAX_HIT_PLACES = 10_000;

/** A check that exists in an engine, as far as proof that it ran needs it. */
export interface KnownCheck {
  readonly rule_id: string;
  readonly rule_family?: string;
  /** Absent where it is not known. */
  readonly severity?: Severity;
  /** Each of these is enough for it; one that was only seen by looks with a login may need one. */
  readonly needs: readonly Access[];
  /** Epoch milliseconds: nobody who knew less than was known then is known to have it. Absent: not said. */
  readonly knownSince?: number;
  /** It looks at what listens at an address, by whatever name it is called. */
  readonly atAddress?: true;
}

export interface ChecksInput {
  readonly file: string;
  /** Of the scan, for what its checks may have needed. */
  readonly facts: LookFacts;
  readonly filter: FindingFilter;
}

/** At which of these places one of the checks is proven to have run. */
export interface RanInput {
  readonly file: string;
  readonly facts: LookFacts;
  /** As the file lists them. */
  readonly places: PlaceList;
  /** `all`: the question names no check, so that only a scan that ran all it has can answer it. */
  readonly checks: readonly KnownCheck[] | 'all';
  readonly port?: number;
  /** Every one of the checks must have run, not just one. */
  readonly every?: boolean;
  /** Ports at some of the places that must have been tried there as well. */
  readonly portsAt?: readonly PortAt[];
}

/** A port at a place. */
export interface PortAt {
  readonly place: string;
  /** 0: none. */
  readonly port: number;
  readonly protocol: string;
}

/** Where an older scan saw what is asked about and none of some newer scans of its engine is proven to have looked again. */
export interface StandingInput {
  readonly file: string;
  readonly facts: LookFacts;
  readonly filter: FindingFilter;
  /** None: everywhere it was seen. */
  readonly newer: readonly { readonly file: string; readonly facts: LookFacts }[];
}

export interface SimilarInput {
  readonly file: string;
  readonly rule: string;
  readonly limit: number;
}

/** `also` as in `FileLook`. */
export interface Seen extends PortAt {
  readonly also: readonly string[];
}

export interface StandingOutput {
  /** Each once; at most `MAX_HIT_PLACES`. */
  readonly seen: readonly Seen[];
  /** There are more. */
  readonly isCut: boolean;
}

/** One of them for each place of a `RanInput`, in their order. */
export const RAN = { notProven: 0, proven: 1, provenAtAddress: 2 } as const;

/** Places of a file after one, in their order. */
export interface LooksInput {
  readonly file: string;
  /** The empty text: from the first one. */
  readonly after: string;
  readonly limit: number;
  /** Only places that are called so, have it in them or are known by it; absent: all. */
  readonly words?: readonly string[];
}

export interface FileLook {
  readonly place: string;
  /** Wholly or in part. */
  readonly isLooked: boolean;
  /** Other words for the place: addresses of a name, names of an address. `unknown`: a name whose address nobody said. */
  readonly also: readonly string[] | 'unknown';
}

export interface LooksOutput {
  /** Who made the findings. */
  readonly engine: string;
  readonly looks: readonly FileLook[];
  readonly isLast: boolean;
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
