import type { ScanRecord } from '../model/scan.ts';

/** A finished scan and what it looked at. */
export interface IndexedScan {
  readonly tenant: string;
  readonly scanId: string;
  readonly engine: string;
  /** Epoch milliseconds. */
  readonly finishedAt: number;
  /** Places it looked at, wholly or in part. */
  readonly looked: readonly string[];
  /** Places it was asked for and could not look at. */
  readonly missed: readonly string[];
}

/** The newest finished scan of one engine that looked at a place. */
export interface LatestLook {
  readonly place: string;
  /** Absent: every scan that was asked for the place missed it; this is the newest of those. */
  readonly engine?: string;
  readonly scanId: string;
  readonly finishedAt: number;
}

/**
 * Which scan is the newest that looked at a place, per engine, so that a question over all scans opens few files. It can
 * be made again from the scans at any time. Every implementation passes test/contracts/scan-index-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable, storage_full.
 */
export interface ScanIndex {
  /**
   * Finished scans with results that are not in the index, oldest first. A scan is in there once `add` has resolved;
   * one whose worker died before that is found here.
   */
  missing(tenant: string, limit: number): Promise<readonly ScanRecord[]>;
  /** Enters a scan. In any order, once or several times: the newest by `finishedAt`, then id, stays. */
  add(scan: IndexedScan): Promise<void>;
  /**
   * Every place with its newest looks. A scan that was removed or started again is in none of them; the ones before it
   * come back through `missing`.
   */
  latest(tenant: string): Promise<readonly LatestLook[]>;
  /** The looks at one place. */
  latestAt(tenant: string, place: string): Promise<readonly LatestLook[]>;
}
