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

/**
 * Where a finding could have been seen. A check for a CVE, a rule or words exists in an engine when any findings file of
 * it shows one, or its catalogue does. A question without any of these is open: only a scan that ran everything its
 * engine has could have answered it.
 */
export function createDetection(
  deps: KnownDeps,
): (tenant: string, searched: Searched, filter: FindingFilter) => Promise<Detected> {
  const knownChecks = createKnownChecks(deps);
  return async (tenant, { scans }, filter) => {
    const isOpen = filter.cve === undefined && filter.rule_id === undefined && filter.text === undefined;
    const engines = new Set(scans.map(({ engine }) => engine));
    const checks = isOpen ? undefined : await knownChecks({ tenant, engines, filter });
    const places = new Set<string>();
    for (const scan of scans) {
      const known = checks ? (checks.get(scan.engine) ?? []) : 'all';
      for (const place of await placesOf(deps, scan, known, filter.port)) places.add(place);
    }
    return { places, isKnown: checks && [...checks.values()].some((list) => list.length > 0) };
  };
}

async function placesOf(
  { findings, log }: Pick<ScanDeps, 'findings' | 'log'>,
  { scanId, file, facts, places }: SearchedScan,
  checks: readonly KnownCheck[] | 'all',
  port: number | undefined,
): Promise<readonly string[]> {
  if (checks.length === 0 || places.length === 0) return [];
  const input = { file, facts, places, checks, ...(port === undefined ? {} : { port }) };
  return (await readable(log, scanId, () => findings.ran(input))) ?? [];
}
