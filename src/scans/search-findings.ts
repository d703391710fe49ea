import { Found, type FoundAnswer, type SearchInput } from '../model/contract/search.ts';
import { hostRefused, isLikeAddress } from '../model/target.ts';
import { NO_SUPPRESSIONS, type Suppressions } from '../findings/findings.ts';
import { isAddressed, placeNameOf } from '../findings/place-labels.ts';
import type { ScanIndex } from '../queue/scan-index.ts';
import { createDetection, type Detected } from './detection.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { filterOf } from './finding-filter.ts';
import type { IndexScans } from './index-scans.ts';
import type { Catalogues } from './known-checks.ts';
import { fitting } from './page-room.ts';
import { NAMES_SHARE, searchHits, type Asked, type Hits, type Question } from './search-hits.ts';
import { countHosts } from './search-hosts.ts';
import { olderHits, type Older } from './search-older.ts';
import { portOf, wantedPlaces } from './search-places.ts';
import { scansToSearch, type Searched, type Which } from './search-scans.ts';
import { NOTHING_STANDS, whatStands, type Standing } from './search-standing.ts';
import { similarRules } from './similar-rules.ts';
import { inSlices } from './slices.ts';
import { searchSummary } from './search-summary.ts';

export interface SearchDeps extends Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'audit' | 'log'> {
  readonly index: ScanIndex;
  readonly indexScans: IndexScans;
  /** Checks that engines are known to have, besides those that were seen in findings. */
  readonly catalogues?: Catalogues;
  /** The judgements of a tenant that are in force. */
  readonly suppressions?: { inForce(tenant: string): Promise<Suppressions> };
}

/** Names of hosts in one answer. */
const MOST_NAMES = 20;

export type SearchFindings = (input: SearchInput, ask: Ask) => Promise<Found>;

/**
 * Findings over all finished scans, and whether their absence says anything.
 * @throws AppError target_invalid, invalid_request, cursor_invalid, queue_unavailable
 */
export function createSearchFindings(deps: SearchDeps): SearchFindings {
  const detect = createDetection(deps);
  return async (input, { caller, traceId }) => {
    const question = questionOf(input);
    const { unreadable } = await deps.indexScans(caller.tenant);
    const which = {
      tenant: caller.tenant,
      wanted: question.wanted,
      finishedAfter: input.finished_after === undefined ? -Infinity : Date.parse(input.finished_after),
      latestOnly: input.latest_only,
    };
    const suppressions = (await deps.suppressions?.inForce(caller.tenant)) ?? NO_SUPPRESSIONS;
    const first = await firstHits(deps, which, { input, question, suppressions });
    const { asked, hits } = first;
    const { searched } = asked;
    const below = await belowRating(deps, asked, hits);
    const isAbsent = hits.total + hits.suppressed === 0 && below === undefined;
    const standing = isAbsent ? await whatStands(deps, first.which, asked) : NOTHING_STANDS;
    const detected = await detect(caller.tenant, searched, question.filter, standing);
    await deps.audit({
      caller,
      action: 'read_results',
      decision: 'allowed',
      traceId,
      detail: { search: Object.keys(question.filter), scans: searched.scans.length, findings: hits.total },
    });
    // What cannot be entered in the index is among all scans, and not among the newest.
    const unread = input.latest_only ? unreadable + hits.unreadable : Math.max(unreadable, hits.unreadable);
    const outcome = { hits, below, detected, standing, searched, unreadable: unread, question: asked.question, input };
    const answer = judge(outcome);
    const similar = isAbsent ? await similarRules(deps, asked, detected) : [];
    // The first page says it; where other ratings are the point, so are they here.
    const hidesOlder = input.latest_only && input.cursor === undefined && below === undefined;
    const older = hidesOlder ? await olderHits(deps, first.which, asked, { answer, hits, detected }) : undefined;
    return answerOf({ ...outcome, similar, older }, answer);
  };
}

/**
 * Reports about code list few files as places, or none: findings in a file that no scan lists are looked for in all
 * scans. Where there are none either, nobody is known to have looked there.
 */
async function firstHits(
  deps: SearchDeps,
  which: Which,
  { input, question, suppressions }: Omit<Asked, 'searched'>,
): Promise<{ readonly which: Which; readonly asked: Asked; readonly hits: Hits }> {
  const searched = await scansToSearch(deps, which);
  await requireHost(input.host, searched);
  if (searched.scans.length === 0 && input.host !== undefined && !isAddressed(input.host)) {
    const wanted = wantedPlaces(input.target, undefined);
    const wide = { ...which, wanted };
    const all = await scansToSearch(deps, wide);
    const asked = { input, question: { ...question, wanted }, searched: all, suppressions };
    const hits = await searchHits(deps, asked);
    if (hits.total + hits.suppressed > 0) return { which: wide, asked, hits };
  }
  const asked = { input, question, searched, suppressions };
  return { which, asked, hits: await searchHits(deps, asked) };
}

/** What looks like an address with a port may be an image that somebody looked at. @throws AppError invalid_request */
async function requireHost(host: string | undefined, { scans }: Searched): Promise<void> {
  if (host === undefined || !isLikeAddress(host) || isAddressed(host)) return;
  const name = placeNameOf(host);
  for (const { places } of host.includes('://') ? [] : scans) {
    for await (const slice of inSlices(places)) if (slice.some(({ place }) => place === name)) return;
  }
  throw hostRefused();
}

/** A CVE, rule or text that is there with a lower rating than asked for is not absent. Undefined when it is not. */
async function belowRating(deps: SearchDeps, asked: Asked, { total, suppressed }: Hits): Promise<Hits | undefined> {
  const { cve, rule_id: rule, text, host, port, ...ratings } = asked.question.filter;
  const isNamed = cve !== undefined || rule !== undefined || text !== undefined;
  if (total + suppressed > 0 || !isNamed || Object.keys(ratings).length === 0) return undefined;
  const filter = filterOf({ cve, rule_id: rule, text, host, port });
  const { cursor: _cursor, ...input } = asked.input;
  const below = await searchHits(deps, { ...asked, input, question: { ...asked.question, filter } });
  return below.total + below.suppressed > 0 ? below : undefined;
}

function questionOf(input: SearchInput): Question {
  const filter = filterOf(input);
  const port = filter.port ?? portOf(input.target);
  return { filter: { ...filter, ...(port !== undefined && { port }) }, wanted: wantedPlaces(input.target, input.host) };
}

export interface Outcome {
  /** When nothing passed the rating filters and something is there without them. */
  readonly below?: Hits | undefined;
  readonly hits: Hits;
  readonly detected: Detected;
  readonly standing: Standing;
  readonly searched: Searched;
  readonly unreadable: number;
  readonly question: Question;
  readonly input: SearchInput;
  /** Rule ids like the one that nobody knows. */
  readonly similar: readonly string[];
  readonly older?: Older | undefined;
}

async function answerOf(outcome: Outcome, answer: FoundAnswer): Promise<Found> {
  const { hits, detected, searched } = outcome;
  const counts = await countHosts(searched, hits, detected);
  return Found.parse({
    summary: searchSummary(outcome, answer, counts),
    answer,
    hosts: { searched: counts.looked, could_detect: counts.couldDetect, ...byNameOnly(outcome) },
    scans: hits.scans,
    findings: hits.findings,
    ...(outcome.similar.length > 0 && { did_you_mean: outcome.similar }),
    total: hits.total,
    suppressed: hits.suppressed,
    ...(hits.nextCursor === undefined ? {} : { next_cursor: hits.nextCursor }),
  });
}

/** On the first page. */
function byNameOnly({ searched: { unplaced }, input }: Outcome): Partial<Found['hosts']> {
  const names =
    input.cursor === undefined ? fitting(unplaced.slice(0, MOST_NAMES), input.max_tokens * NAMES_SHARE) : [];
  return names.length === 0 ? {} : { by_name_only: names };
}

/** A suppressed finding is there all the same. Absence counts only where everything asked about was looked at for it. */
function judge({
  hits,
  below,
  detected,
  searched,
  unreadable,
  question,
}: Omit<Outcome, 'older' | 'standing' | 'input' | 'similar'>): FoundAnswer {
  if (hits.total > 0 || hits.suppressed > 0 || below !== undefined) return 'found';
  const { inQuestion, addresses, unplaced, isCut } = searched;
  const { wanted } = question;
  const isPlaced = unplaced.length === 0 || (wanted.isOneAddress && addresses > 0);
  const isSeen = inQuestion > 0 && addresses >= wanted.addresses && isPlaced;
  return isSeen && !isCut && unreadable === 0 && detected.places.size === inQuestion ? 'not_found' : 'cannot_tell';
}
