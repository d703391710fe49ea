import type { RuleFacts } from '../../model/finding.ts';

/** EPSS scores of one day, as FIRST publishes them. */
export interface EpssFacts {
  /** `2026-11-20`: the day the scores are of. */
  readonly date: string;
  /** `v2025.03.14`. */
  readonly model: string;
  readonly scores: number;
}

/** CISA's catalogue of known exploited vulnerabilities. */
export interface KevFacts {
  /** `2026.11.20`. */
  readonly version: string;
  /** `2026-11-20`. */
  readonly date: string;
  readonly vulnerabilities: number;
}

/** What is known locally about CVEs; either part may be missing. */
export interface EnrichmentFacts {
  readonly epss?: EpssFacts;
  readonly kev?: KevFacts;
}

export interface UpdateOptions {
  /** Also files that are older or far shorter than what is in use. */
  readonly allowOlder?: boolean;
}

/** What an update read, and from which file of the folder. */
export interface EnrichmentUpdate {
  readonly facts: EnrichmentFacts;
  readonly epssFile?: string;
  readonly kevFile?: string;
}

/**
 * Adds to findings what was published about their CVEs, out of a local table. Nothing here uses the network; the table
 * is made by `scanmux data update`. docs/enrichment.md says what wins when a report says something else.
 */
export interface Enrichment {
  /** The same object when there is nothing to add. Reads a new table within a second after it was put in place. */
  enrich(rule: RuleFacts): RuleFacts;
  /** Undefined when there is no table. @throws AppError storage_unusable, data_too_new when it cannot be read */
  describe(): EnrichmentFacts | undefined;
  /**
   * Makes the table anew from the files in `folder`; a part without a file stays as it is. A file that is broken, or
   * older or far shorter than what is in use, changes nothing.
   * @throws AppError invalid_request naming file and line, storage_full, storage_unusable, data_too_new
   */
  update(folder: string, how?: UpdateOptions): Promise<EnrichmentUpdate>;
  close(): void;
}
