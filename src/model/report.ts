import type { Place } from './coverage.ts';
import type { ParsedFinding } from './finding.ts';

/** What a report says, in the order it says it. */
export type ReportEvent =
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'finding'; readonly finding: ParsedFinding }
  /** Kinds of check that ran, and those that did not with the reason (`tls: no TLS port was open`). May repeat. */
  | { readonly kind: 'checks'; readonly lookedFor: readonly string[]; readonly notLookedFor: readonly string[] }
  /** The engine's own positive word that it was done. A report without it was cut short. */
  | { readonly kind: 'end' };
