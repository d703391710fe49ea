import type { Severity } from '../../../model/finding.ts';

export const RULE_FAMILIES = ['inventory', 'tls', 'http', 'exposure', 'open-service'] as const;
export type RuleFamily = (typeof RULE_FAMILIES)[number];

/** One check: everything a finding says besides where it is and what the target wrote. */
export interface Rule {
  readonly family: RuleFamily;
  readonly title: string;
  readonly severity: Severity;
  /** What it is and why it has this severity. */
  readonly description: string;
  /** Empty only for inventory, which names no weakness. */
  readonly cwes: readonly `CWE-${number}`[];
  readonly solution: string;
  readonly reference: `https://${string}`;
}
