import type { Suppression, Suppressions, SuppressionSubject } from '../model/suppression.ts';

/** A judgement to keep. Its reason has been cleaned. */
export type NewSuppression = SuppressionSubject & Omit<Suppression, 'fingerprint' | 'engine' | 'rule_id'>;

/** A judgement as it is kept, also after it has expired. */
export interface StoredSuppression extends Suppression {
  readonly createdAt: number;
}

/**
 * What people judged about findings, per tenant. Kept with the scan records, because a judgement holds for scans that
 * are still to come. Every adapter passes test/contracts/suppressions-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable (in bounded time, never a hang), storage_full.
 */
export interface SuppressionList {
  /** Durable once it resolves. One subject has one judgement: a second one takes the place of the first. */
  put(tenant: string, suppression: NewSuppression): Promise<StoredSuppression>;
  /** What was taken back; undefined when there was nothing, or only something expired. */
  remove(tenant: string, subject: SuppressionSubject): Promise<StoredSuppression | undefined>;
  /**
   * Cheap while nothing changes: every answer about results asks. Its version is another one after every change and
   * every expiry.
   */
  inForce(tenant: string): Promise<Suppressions>;
  /** Newest first, expired ones too; those that expired a year ago may be gone. */
  list(tenant: string): Promise<readonly StoredSuppression[]>;
}
