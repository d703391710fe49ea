/** How somebody judged a finding. A finding without a judgement is active. */
export const SUPPRESSION_STATUSES = ['false_positive', 'accepted_risk', 'mitigated'] as const;
export type SuppressionStatus = (typeof SUPPRESSION_STATUSES)[number];

/** One judgement that is in force. Either the fingerprint is set, or engine and rule are. */
export interface Suppression {
  readonly fingerprint?: string;
  readonly engine?: string;
  readonly rule_id?: string;
  readonly status: SuppressionStatus;
  readonly reason: string;
  readonly who: string;
  /** An operator judged it: it holds also where the text of a finding looks like instructions to a model. */
  readonly byOperator?: boolean;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The judgements of one tenant that are in force now. */
export interface Suppressions {
  /** Another content has another version, so that readers can keep what they made of it, and cursors notice. */
  readonly version: string;
  readonly entries: readonly Suppression[];
}

export const NO_SUPPRESSIONS: Suppressions = { version: '', entries: [] };

/** What a judgement is about: one finding wherever it comes again, or everything one rule of one engine finds. */
export type SuppressionSubject =
  | { readonly fingerprint: string }
  | { readonly engine: string; readonly rule_id: string };
