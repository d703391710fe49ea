import type { FindingFilter } from '../findings/findings.ts';
import type { KnownCheck } from '../findings/searching.ts';
import type { ScanDeps } from './deps.ts';
import { createKnownChecks, type KnownDeps } from './known-checks.ts';
import { readable } from './readable.ts';
import type { Searched, SearchedScan } from './search-scans.ts';

export interface Detected {
  /** Places where a check for what was asked is proven to have run. */
  readonly places: ReadonlySet<string>;
  /** Whether any engine is known to have such a check; undefined where the question names none. */
  readonly isKnown: boolean | undefined;
}

/** Places where checks of these engines ran that are known to answer the question. */
type Proven = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Where a finding could have been seen. A check for a CVE, a rule or words exists in an engine when any findings file of
 * it shows one, or its catalogue does. A question without any of these is open: only a scan that ran everything its
 * engine has could have answered it. Words may name many weaknesses: there every known check must have run, of every
 * engine that has one.
 */
export function createDetection(
  deps: KnownDeps,
): (tenant: string, searched: Searched, filter: FindingFilter) => Promise<Detected> {
  const knownChecks = createKnownChecks(deps);
  return async (tenant, { scans }, filter) => {
    const isOpen = filter.cve === undefined && filter.rule_id === undefined && filter.text === undefined;
    const engines = new Set(scans.map(({ engine }) => engine));
    const checks = isOpen ? undefined : await knownChecks({ tenant, engines, filter });
    const proven = new Map<string, Set<string>>();
    for (const scan of scans) {
      const known = checks ? (checks.get(scan.engine) ?? []) : 'all';
      for (const place of await placesOf(deps, scan, known, filter)) {
        proven.set(place, (proven.get(place) ?? new Set()).add(scan.engine));
      }
    }
    const able = [...(checks ?? [])].flatMap(([engine, list]) => (list.length > 0 ? [engine] : []));
    return { places: placesProven(proven, filter.text === undefined ? [] : able), isKnown: checks && able.length > 0 };
  };
}

const placesProven = (proven: Proven, engines: readonly string[]): ReadonlySet<string> =>
  new Set([...proven].flatMap(([place, by]) => (engines.every((engine) => by.has(engine)) ? [place] : [])));

async function placesOf(
  { findings, log }: Pick<ScanDeps, 'findings' | 'log'>,
  { scanId, file, facts, places }: SearchedScan,
  checks: readonly KnownCheck[] | 'all',
  { port, text }: FindingFilter,
): Promise<readonly string[]> {
  if (checks.length === 0 || places.length === 0) return [];
  const input = { file, facts, places, checks, every: text !== undefined, ...(port === undefined ? {} : { port }) };
  return (await readable(log, scanId, () => findings.ran(input))) ?? [];
}
