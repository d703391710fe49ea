import type { RuleFacts } from '../model/finding.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { FindingFilter } from '../findings/findings.ts';
import { leastOf, NO_ACCESS } from '../findings/look-access.ts';
import type { KnownCheck } from '../findings/searching.ts';
import type { ScanQueue } from '../queue/queue.ts';
import { hasResults } from './choose-base.ts';
import type { ScanDeps } from './deps.ts';
import { lookFacts } from './look-facts.ts';
import { readable } from './readable.ts';
import { MOST_SCANS } from './search-scans.ts';

/** What an engine is known to look for, whether it ever found it or not. */
export interface CatalogueEntry extends Pick<RuleFacts, 'rule_id' | 'rule_family' | 'title' | 'cves'> {
  /** It looks at what listens at an address, by whatever name it is called. */
  readonly atAddress?: true;
}
export type Catalogues = ReadonlyMap<string, readonly CatalogueEntry[]>;

export interface KnownDeps extends Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'log'> {
  readonly catalogues?: Catalogues;
}

export interface Asked {
  readonly tenant: string;
  readonly engines: ReadonlySet<string>;
  readonly filter: FindingFilter;
}

export type KnownChecks = (asked: Asked) => Promise<ReadonlyMap<string, readonly KnownCheck[]>>;

const PAGE = 100;

/** Checks of each engine that could answer a question, out of the files of all its scans and its catalogue. */
export function createKnownChecks(deps: KnownDeps): KnownChecks {
  const checksOf = createFileChecks(deps);
  return async (asked) => {
    const known = new Map<string, Map<string, KnownCheck>>();
    const note = (engine: string, check: KnownCheck): void => {
      const ofEngine = known.get(engine) ?? new Map<string, KnownCheck>();
      const before = ofEngine.get(check.rule_id);
      // One look without a login that shows the check is enough to know that it needs none.
      const needs = leastOf([...(before?.needs ?? []), ...check.needs]);
      ofEngine.set(check.rule_id, { ...before, ...check, needs, ...earliest(before, check) });
      known.set(engine, ofEngine);
    };
    for (const engine of asked.engines) {
      const entries = deps.catalogues?.get(engine) ?? [];
      for (const entry of entries.filter((one) => answers(one, asked.filter))) note(engine, checkOf(entry));
    }
    for await (const scan of finishedScans(deps.queue, asked)) {
      for (const check of await checksOf(scan, asked)) note(scan.engine, check);
    }
    return new Map([...known].map(([engine, checks]) => [engine, [...checks.values()]]));
  };
}

/** Files never change, and the same is asked again for each page: what the last question found is kept. */
function createFileChecks({ findings, files, log }: KnownDeps) {
  const kept = new Map<string, readonly KnownCheck[]>();
  let last = '';
  return async (scan: ScanRecord, { tenant, filter }: Asked): Promise<readonly KnownCheck[]> => {
    const question = JSON.stringify([tenant, filter]);
    if (last !== question) kept.clear();
    last = question;
    const file = files.findingsOf(scan);
    const known = file === undefined ? [] : kept.get(file);
    if (known !== undefined || file === undefined) return known ?? [];
    const checks =
      (await readable(log, scan.scanId, () => findings.checks({ file, facts: lookFacts(scan), filter }))) ?? [];
    if (last === question) kept.set(file, checks);
    return checks;
  };
}

async function* finishedScans(queue: ScanQueue, { tenant, engines }: Asked): AsyncGenerator<ScanRecord> {
  let cursor: string | undefined;
  for (let seen = 0; seen < MOST_SCANS; seen += PAGE) {
    const page = await queue.list(tenant, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.scans.filter((scan) => hasResults(scan) && engines.has(scan.engine));
    cursor = page.nextCursor;
    if (cursor === undefined) return;
  }
}

/** Whoever has it said of no day is known to have it on any. */
function earliest(before: KnownCheck | undefined, { knownSince: since = -Infinity }: KnownCheck) {
  return { knownSince: before === undefined ? since : Math.min(before.knownSince ?? -Infinity, since) };
}

const checkOf = ({ rule_id, rule_family: family, atAddress }: CatalogueEntry): KnownCheck => ({
  rule_id,
  needs: [NO_ACCESS],
  ...(atAddress === undefined ? {} : { atAddress }),
  ...(family === undefined ? {} : { rule_family: family }),
});

function answers({ rule_id, title, cves }: CatalogueEntry, { rule_id: rule, cve, text }: FindingFilter): boolean {
  return (
    (rule === undefined || rule_id.toLowerCase() === rule.toLowerCase()) &&
    (cve === undefined || cves.includes(cve.trim().toUpperCase())) &&
    (text === undefined || title.toLowerCase().includes(text.toLowerCase()))
  );
}
