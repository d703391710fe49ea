import type { FindingPage, FindingsRef } from '../findings/findings.ts';
import type { ScanDeps } from './deps.ts';
import { askedPlace } from './asked-place.ts';
import { looksInFile } from './looks-in-file.ts';
import { wantedPlaces } from './search-places.ts';
import { COUNTS, sumOf } from './tally.ts';

/** What a scan says of a host that was asked about: `by_name` when it may be one of those with an unknown address. */
export type HostSeen = 'looked' | 'not_looked' | 'by_name' | 'absent';

/**
 * Whether a host is among the places of a scan.
 * @throws AppError storage_unusable
 */
export async function hostSeen(findings: ScanDeps['findings'], ref: FindingsRef, host: string): Promise<HostSeen> {
  // Findings in files and images have a host to group by that is no place.
  const { total } = await findings.query(ref, { ...COUNTS, host, include_suppressed: true });
  if (total > 0) return 'looked';
  const wanted = wantedPlaces(undefined, host);
  let seen: HostSeen = 'absent';
  for await (const { looks } of looksInFile(findings, ref.file)) {
    for (const look of looks) {
      const isAsked = askedPlace(look, wanted) !== undefined;
      if (isAsked && look.isLooked) return 'looked';
      if (isAsked) seen = 'not_looked';
      else if (seen === 'absent' && look.also === 'unknown' && wanted.isByAddress) seen = 'by_name';
    }
  }
  return seen;
}

/** Filters on a value that not every finding has. */
const VALUED = new Set(['min_cvss', 'min_epss', 'cve', 'kev_only', 'exploit_available']);

const OF_HOST: Readonly<Record<Exclude<HostSeen, 'looked'>, string>> = {
  absent: 'That host is not among the places of this scan: nothing says that anybody looked there.',
  not_looked: 'That host was not looked at; see untested.',
  by_name: 'No place of this scan has that address, but it has names whose address is not known: ask by name.',
};

interface Asked {
  /** Names of the filters. */
  readonly applied: readonly string[];
  /** Set when `host` was asked for and nothing matched. */
  readonly host?: HostSeen | undefined;
}

/** What filters left of a scan, in words. A filter that matches nothing must not read as an all-clear. */
export function filteredPart(page: FindingPage, { applied, host }: Asked): string {
  if (applied.length === 0) return '';
  const hidden = sumOf(page.suppressed);
  const also =
    hidden === 0
      ? ''
      : ` ${hidden} more that ${hidden === 1 ? 'matches is' : 'match are'} suppressed: see include_suppressed.`;
  const matching = ` ${page.total} of ${page.totalUnfiltered} findings match the filters.${also}`;
  if (page.total > 0 || hidden > 0) return matching;
  if (host !== undefined && host !== 'looked') return `${matching} ${OF_HOST[host]}`;
  if (page.totalUnfiltered === 0) return matching;
  return `${matching} ${whyEmpty(applied)}`;
}

function whyEmpty(applied: readonly string[]): string {
  const why = applied.some((name) => VALUED.has(name))
    ? 'That proves nothing: findings without this value cannot match, and not every engine gives it.'
    : 'That proves nothing about what was not looked for; see coverage.';
  if (!applied.includes('rule_id')) return why;
  return `${why} A rule_id is matched whole, as findings have it: group_by rule lists those there are.`;
}
