import type { Coverage, Place } from '../../model/coverage.ts';
import type { BySeverity, Occurrence, RuleFacts } from '../../model/finding.ts';
import type { NativeHeader } from '../../model/native.ts';
import type { ReportScope, ReportSource } from '../../model/report.ts';
import type { ScanError } from '../../model/scan.ts';
import type { Finding } from '../findings.ts';

/** What is said of the scan as a whole; the same words in every format. */
export interface ExportHeader {
  readonly scan: NativeHeader['scan'];
  readonly engine: string;
  readonly coverage: Coverage;
  /** The engine itself said that it was done. */
  readonly whole: boolean;
  readonly source: Pick<ReportSource, 'tool' | 'version' | 'title'>;
  readonly error?: ScanError;
  /** The filters, in words. */
  readonly filtered: readonly string[];
  /** One or two sentences: what was looked at and what was found, as answers have them. */
  readonly summary: string;
}

/** How many findings there are, and how many of them are in this export. */
export interface ExportCounts {
  readonly total: number;
  readonly bySeverity: BySeverity;
  readonly totalUnfiltered: number;
  /** Match the filters, but are left out because they are suppressed. */
  readonly suppressed: BySeverity;
}

/** A finding in its two parts, so that what is made of a rule can be made once. */
export interface ExportedFinding {
  readonly findingId: string;
  readonly fingerprint: string;
  /** Row of the rule facts: below `ruleRows`. The same object for neighbours of one rule. */
  readonly ruleRow: number;
  readonly rule: RuleFacts;
  readonly occurrence: Occurrence & Pick<Finding, 'injection_signals'>;
  readonly suppression?: NonNullable<Finding['suppression']>;
}

/** One scan's findings as a format writes them. Everything can be gone through again; nothing is kept in memory. */
export interface ExportSource {
  readonly header: ExportHeader;
  readonly counts: ExportCounts;
  /** Most urgent first. */
  findings(): Iterable<ExportedFinding>;
  readonly ruleRows: number;
  /** Rows with an equal `rule_id` have an equal name: a number below `ruleRows`. */
  nameOf(ruleRow: number): number;
  /** Rule facts that a finding of this export has, each row once, with how many have them. */
  rules(): Iterable<{ readonly ruleRow: number; readonly rule: RuleFacts; readonly findings: number }>;
  /** Every place that was asked for, by name. */
  places(): Iterable<Place>;
  scopes(): Iterable<ReportScope>;
}

/**
 * The file as text, in pieces of any size, also empty ones: between two, others of the process have their turn. The same
 * source gives the same text.
 * @param scratchPath A file that may be made and is removed afterwards, for what must be sorted another way.
 */
export type Formatter = (source: ExportSource, scratchPath: string) => Iterable<string>;

/**
 * Remembers the last value: findings come in the urgency order, in which those of one rule are neighbours, so this is
 * as good as a table and needs no memory.
 */
export function memoLast<Key, Made>(make: (key: Key) => Made): (key: Key) => Made {
  let last: { readonly key: Key; readonly made: Made } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, made: make(key) };
    return last.made;
  };
}

/** What keeps an export from holding every finding of its scan, in words; empty when it does. */
export const leftOut = ({ header, counts }: ExportSource): string[] => [
  ...header.filtered,
  ...(Object.values(counts.suppressed).some((count) => count > 0) ? ['include_suppressed: false'] : []),
];

/** The inside of an object's JSON, to be joined with other members by hand; '' for an empty object. */
export const jsonMembers = (object: object): string => JSON.stringify(object).slice(1, -1);

/** Elements of a JSON array with what separates them, written one by one. */
export function* jsonElements<T>(items: Iterable<T>, toJson: (item: T) => string): Generator<string> {
  let separator = '\n';
  for (const item of items) {
    yield separator + toJson(item);
    separator = ',\n';
  }
}
