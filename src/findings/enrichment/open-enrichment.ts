import { statSync } from 'node:fs';
import { AppError } from '../../model/errors.ts';
import type { RuleFacts } from '../../model/finding.ts';
import type { Log } from '../../platform/log.ts';
import type { IngestInput, FindingsStore } from '../findings.ts';
import { cveKey, positionOf } from './cve-key.ts';
import type { Enrichment } from './enrichment.ts';
import { readTables, tablePath, type Tables } from './table-file.ts';
import { updateTables } from './update.ts';

export interface EnrichmentOptions {
  readonly dataFolder: string;
  readonly log: Log;
  /** Milliseconds of any clock that does not go back. */
  readonly now?: () => number;
}

/** How often the file is asked whether it was replaced. */
const LOOK_EVERY_MS = 1_000;

/** Reads the table when it is first needed. One that cannot be read is said in the log and adds nothing. */
export function openEnrichment({ dataFolder, log, now = () => performance.now() }: EnrichmentOptions): Enrichment {
  const path = tablePath(dataFolder);
  let tables: Tables | undefined;
  let identity: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const current = (): Tables | undefined => {
    if (now() - lookedAt < LOOK_EVERY_MS) return tables;
    lookedAt = now();
    const seen = identityOf(path);
    if (seen === identity) return tables;
    identity = seen;
    tables = undefined;
    if (seen === undefined) return tables;
    try {
      tables = readTables(path);
    } catch (error) {
      log.warn({ err: error }, 'EPSS and KEV data cannot be read; findings are kept without them');
    }
    return tables;
  };

  return {
    enrich: (rule) => enrichedBy(current(), rule),
    describe() {
      const { epss, kev } = current() ?? (identity === undefined ? {} : readTables(path));
      return epss || kev ? { ...(epss && { epss: epss.facts }), ...(kev && { kev: kev.facts }) } : undefined;
    },
    async update(folder, how = {}) {
      const update = await updateTables(dataFolder, folder, { inForce: tablesInForce(path), ...how });
      lookedAt = Number.NEGATIVE_INFINITY;
      return update;
    },
    close() {
      tables = undefined;
    },
  };
}

/** What an update replaces. A damaged table is nobody's loss; one of a newer scanmux is left alone. */
function tablesInForce(path: string): Tables {
  if (identityOf(path) === undefined) return {};
  try {
    return readTables(path);
  } catch (error) {
    if (error instanceof AppError && error.code === 'storage_unusable') return {};
    throw error;
  }
}

/** A file that was put in the place of another has another number, time or size. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.mtimeMs} ${found.size}`;
}

/**
 * The highest local score of the rule's CVEs takes the place of what the report says, unless that is of a later day. A
 * CVE in the local catalogue is exploited; one that is not there may have been added since, so what the report says stays.
 */
export function enrichedBy(tables: Tables | undefined, rule: RuleFacts): RuleFacts {
  if (tables === undefined || rule.cves.length === 0) return rule;
  const keys = rule.cves.flatMap((cve) => cveKey(cve) ?? []);
  return withKev(tables, withEpss(tables, rule, keys), keys);
}

const EPSS_SOURCE = 'FIRST EPSS ';
const KEV_SOURCE = 'CISA KEV ';

function withEpss({ epss }: Tables, rule: RuleFacts, cves: readonly number[]): RuleFacts {
  if (!epss || (rule.epss_source?.startsWith(EPSS_SOURCE) && rule.epss_source > EPSS_SOURCE + epss.facts.date))
    return rule;
  const score = Math.max(...cves.map((cve) => epss.scores[positionOf(epss.keys, cve)] ?? -1), -1);
  return score < 0 ? rule : { ...rule, epss: score, epss_source: EPSS_SOURCE + epss.facts.date };
}

function withKev({ kev }: Tables, rule: RuleFacts, cves: readonly number[]): RuleFacts {
  if (!kev || !cves.some((cve) => positionOf(kev.keys, cve) !== -1)) return rule;
  return { ...rule, kev: true, kev_source: KEV_SOURCE + kev.facts.version };
}

/** A store whose findings all get what is known of their CVEs when they are written. */
export const enrichingStore = (store: FindingsStore, { enrich }: Pick<Enrichment, 'enrich'>): FindingsStore => ({
  ...store,
  ingest: (input: IngestInput) => store.ingest({ enrich, ...input }),
});
