import type { RuleFacts } from '../model/finding.ts';
import type { FindingFilter } from '../findings/findings.ts';
import type { KnownCheck } from '../findings/searching.ts';
import type { ScanDeps } from './deps.ts';
import { hasResults } from './choose-base.ts';
import { MOST_SCANS, type Searched } from './search-scans.ts';

/** What an engine is known to look for, whether it ever found it or not. */
export type CatalogueEntry = Pick<RuleFacts, 'rule_id' | 'rule_family' | 'title' | 'cves'>;
export type Catalogues = ReadonlyMap<string, readonly CatalogueEntry[]>;

interface Deps extends Pick<ScanDeps, 'queue' | 'findings' | 'files'> {
  readonly catalogues?: Catalogues;
}

export interface Detected {
  /** Places where a check for what was asked is proven to have run. */
  readonly places: ReadonlySet<string>;
  /** Whether any engine is known to have such a check; undefined where the question names none. */
  readonly isKnown: boolean | undefined;
}

const PAGE = 100;

/**
 * Where a finding could have been seen. A check for a CVE, a rule or words exists in an engine when any findings file of
 * it shows one, or its catalogue does. A question without any of these is open: only a scan that ran everything its
 * engine has could have answered it.
 */
export function createDetection(
  deps: Deps,
): (tenant: string, searched: Searched, filter: FindingFilter) => Promise<Detected> {
  return async (tenant, { scans }, filter) => {
    const isOpen = filter.cve === undefined && filter.rule_id === undefined && filter.text === undefined;
    const engines = new Set(scans.map(({ engine }) => engine));
    const checks = isOpen ? undefined : await knownChecks(deps, tenant, engines, filter);
    const places = new Set<string>();
    for (const { engine, file, facts, places: asked } of scans) {
      const known = checks ? (checks.get(engine) ?? []) : 'all';
      if (known.length === 0 || asked.length === 0) continue;
      const port = filter.port === undefined ? {} : { port: filter.port };
      for (const place of await deps.findings.ran({ file, facts, places: asked, checks: known, ...port }))
        places.add(place);
    }
    return { places, isKnown: checks && [...checks.values()].some((list) => list.length > 0) };
  };
}

/** Checks of each engine that could answer, out of the files of all its scans and its catalogue. */
async function knownChecks(
  { queue, findings, files, catalogues }: Deps,
  tenant: string,
  engines: ReadonlySet<string>,
  filter: FindingFilter,
): Promise<ReadonlyMap<string, readonly KnownCheck[]>> {
  const known = new Map<string, Map<string, KnownCheck>>();
  const note = (engine: string, check: KnownCheck): void => {
    const ofEngine = known.get(engine) ?? new Map<string, KnownCheck>();
    known.set(engine, ofEngine.set(check.rule_id, check));
  };
  for (const engine of engines) {
    for (const entry of catalogues?.get(engine) ?? []) if (answers(entry, filter)) note(engine, checkOf(entry));
  }
  let cursor: string | undefined;
  for (let seen = 0; seen < MOST_SCANS; seen += PAGE) {
    const page = await queue.list(tenant, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const scan of page.scans.filter((one) => hasResults(one) && engines.has(one.engine))) {
      const file = files.findingsOf(scan);
      if (file === undefined) continue;
      for (const check of await findings.checks(file, filter)) note(scan.engine, check);
    }
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return new Map([...known].map(([engine, checks]) => [engine, [...checks.values()]]));
}

const checkOf = ({ rule_id, rule_family: family }: CatalogueEntry): KnownCheck => ({
  rule_id,
  ...(family === undefined ? {} : { rule_family: family }),
});

function answers({ rule_id, title, cves }: CatalogueEntry, { rule_id: rule, cve, text }: FindingFilter): boolean {
  return (
    (rule === undefined || rule_id.toLowerCase() === rule.toLowerCase()) &&
    (cve === undefined || cves.includes(cve.trim().toUpperCase())) &&
    (text === undefined || title.toLowerCase().includes(text.toLowerCase()))
  );
}
