import type { ScanRecord } from '../model/scan.ts';

/** A finished scan that is entered. */
export interface IndexedScan {
  readonly tenant: string;
  readonly scanId: string;
  readonly engine: string;
  /** Epoch milliseconds. */
  readonly finishedAt: number;
}

/** What a finished scan says of one place. */
export interface Look {
  readonly place: string;
  /** It was looked at, wholly or in part; else it was asked for and missed. */
  readonly isLooked: boolean;
  /** Other words for the place: addresses of a name, names of an address. `unknown`: a name whose address nobody said. */
  readonly also: readonly string[] | 'unknown';
  /** More words to find it by in `latestAt`, such as the host of a URL. */
  readonly findBy?: readonly string[];
}

/** The newest finished scan of one engine that looked at a place. */
export interface LatestLook {
  readonly place: string;
  readonly also: readonly string[] | 'unknown';
  /** Absent: every scan that was asked for the place missed it; this is the newest of those. */
  readonly engine?: string;
  readonly scanId: string;
  /** Epoch milliseconds. */
  readonly finishedAt: number;
  /** Rises with the order in which scans were created: of two that finished at the same time, the higher is newer. */
  readonly order: number;
}

/**
 * Which scan is the newest that looked at a place, per engine, so that a question over all scans opens few files. A look
 * at a place under another word for it never takes the place of one: a name and an address may show different things. It
 * can be made again from the scans at any time. Every implementation passes test/contracts/scan-index-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable, storage_full.
 */
export interface ScanIndex {
  /**
   * Finished scans with results that are not in the index, oldest first. A scan is in there once `add` has resolved;
   * one whose worker died before that is found here.
   */
  missing(tenant: string, limit: number): Promise<readonly ScanRecord[]>;
  /**
   * Enters a scan with its looks, each place once. In any order, once or several times: the newest by `finishedAt`, then
   * by the order of creation, stays.
   */
  add(scan: IndexedScan, looks: AsyncIterable<readonly Look[]>): Promise<void>;
  /**
   * Every place with its newest looks, by place, in parts: there may be millions, and other work has its turn between
   * two parts. A scan that was removed or started again is in none of them; the ones before it come back through
   * `missing`.
   */
  latest(tenant: string): AsyncIterable<readonly LatestLook[]>;
  /** The looks at places that this is a word for, by place. */
  latestAt(tenant: string, word: string): Promise<readonly LatestLook[]>;
  /** Places that are names whose address nobody said, in order; up to `most`. */
  unplaced(tenant: string, most: number): Promise<readonly string[]>;
}
