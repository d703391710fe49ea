import { createHash } from 'node:crypto';
import { Found, type FoundAnswer, type SearchInput } from '../model/contract/search.ts';
import { decodeCursor, encodeCursor } from '../findings/cursor.ts';
import { NO_SUPPRESSIONS, type FindingFilter, type ShownFinding, type Suppressions } from '../findings/findings.ts';
import { estimateTokens } from '../findings/tokens.ts';
import type { ScanIndex } from '../queue/scan-index.ts';
import { createDetection, type Catalogues } from './detection.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { filterOf } from './finding-filter.ts';
import type { IndexScans } from './index-scans.ts';
import { portOf, wantedPlaces, type Wanted } from './search-places.ts';
import { scansToSearch, type Searched, type SearchedScan } from './search-scans.ts';
import { searchSummary } from './search-summary.ts';
import { isoTime } from './time.ts';

export interface SearchDeps extends Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'audit'> {
  readonly index: ScanIndex;
  readonly indexScans: IndexScans;
  /** Checks that engines are known to have, besides those that were seen in findings. */
  readonly catalogues?: Catalogues;
  /** The judgements of a tenant that are in force. */
  readonly suppressions?: { inForce(tenant: string): Promise<Suppressions> };
}

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
    const searched = await scansToSearch(deps, {
      tenant: caller.tenant,
      wanted: question.wanted,
      finishedAfter: input.finished_after === undefined ? -Infinity : Date.parse(input.finished_after),
      latestOnly: input.latest_only,
    });
    const suppressions = (await deps.suppressions?.inForce(caller.tenant)) ?? NO_SUPPRESSIONS;
    const hits = await search(deps, { input, question, searched, suppressions });
    const detected = await detect(caller.tenant, searched, question.filter);
    await deps.audit({
      caller,
      action: 'read_results',
      decision: 'allowed',
      traceId,
      detail: { search: Object.keys(question.filter), scans: searched.scans.length, findings: hits.total },
    });
    return answerOf({ hits, detected, searched, unreadable, question });
  };
}

export interface Question {
  readonly filter: FindingFilter;
  readonly wanted: Wanted;
}

function questionOf(input: SearchInput): Question {
  const filter = filterOf(input);
  const port = filter.port ?? portOf(input.target);
  return { filter: { ...filter, ...(port !== undefined && { port }) }, wanted: wantedPlaces(input.target, input.host) };
}

interface Asked {
  readonly input: SearchInput;
  readonly question: Question;
  readonly searched: Searched;
  readonly suppressions: Suppressions;
}

export interface Hits {
  readonly total: number;
  readonly suppressed: number;
  readonly byScan: readonly { readonly scan: SearchedScan; readonly total: number }[];
  /** Labels of the hosts with a match. */
  readonly hosts: ReadonlySet<string>;
  readonly scans: Found['scans'];
  readonly findings: readonly ShownFinding[];
  readonly nextCursor?: string;
}

/** Share of the budget that the list of scans may take. */
const SCANS_SHARE = 0.25;
const MAX_FINDINGS = 2 ** 32;

/** Every file is counted, one after the other; findings are shown from where the last page ended. */
async function search(deps: SearchDeps, asked: Asked): Promise<Hits> {
  const { input, question, searched, suppressions } = asked;
  const hash = hashOf(asked);
  const position = decodeCursor(hash, input.cursor);
  const [startScan, startIndex] =
    position === 0 ? [0, 0] : [Math.floor((position - 1) / MAX_FINDINGS), (position - 1) % MAX_FINDINGS];
  const counted: { scan: SearchedScan; total: number }[] = [];
  const hosts = new Set<string>();
  const findings: ShownFinding[] = [];
  let left = Math.floor(input.max_tokens * (1 - SCANS_SHARE));
  let suppressed = 0;
  let next = 0;
  for (const [at, scan] of searched.scans.entries()) {
    const isShown = at >= startScan && next === 0 && left > 0;
    const found = await deps.findings.search({
      ref: { file: scan.file, scanId: scan.scanId },
      filter: question.filter,
      include_suppressed: input.include_suppressed,
      suppressions,
      ...claimOf(scan, question, input.latest_only),
      from: at === startScan ? startIndex : 0,
      max_tokens: isShown ? left : 0,
    });
    counted.push({ scan, total: found.total });
    suppressed += found.suppressed;
    for (const label of found.hosts) hosts.add(label);
    if (at < startScan) continue;
    findings.push(...found.findings);
    left -= estimateTokens(JSON.stringify(found.findings));
    if (next === 0 && found.next !== undefined) next = at * MAX_FINDINGS + found.next + 1;
  }
  return {
    total: counted.reduce((sum, { total }) => sum + total, 0),
    suppressed,
    byScan: counted,
    hosts,
    scans: shownScans(counted, Math.floor(input.max_tokens * SCANS_SHARE)),
    findings,
    ...(next === 0 ? {} : { nextCursor: encodeCursor(hash, next) }),
  };
}

/** A finding counts only at the places the scan speaks for. Where all scans of everywhere are asked, that is all of it. */
const claimOf = ({ places }: SearchedScan, { wanted }: Question, latestOnly: boolean) =>
  wanted.everywhere && !latestOnly ? {} : { claim: { places, others: wanted.everywhere } };

/** What a cursor belongs to: the scans that are searched, in their order, and the question. A scan that ends changes it. */
function hashOf({ input, searched, suppressions }: Asked): string {
  const { cursor: _cursor, max_tokens: _budget, ...asked } = input;
  const sorted = Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const scans = searched.scans.map(({ scanId, places }) => [scanId, places]);
  return createHash('sha256')
    .update(JSON.stringify(['search', scans, sorted, suppressions.version]))
    .digest('hex');
}

function shownScans(counted: readonly { scan: SearchedScan; total: number }[], budget: number): Found['scans'] {
  const shown: Found['scans'] = [];
  let left = budget;
  for (const { scan, total } of counted.toSorted((a, b) => Math.sign(b.total) - Math.sign(a.total))) {
    const entry = { scan_id: scan.scanId, engine: scan.engine, finished_at: isoTime(scan.finishedAt), findings: total };
    left -= estimateTokens(JSON.stringify(entry)) + 1;
    if (left < 0) return shown;
    shown.push(entry);
  }
  return shown;
}

export interface Outcome {
  readonly hits: Hits;
  readonly detected: Awaited<ReturnType<ReturnType<typeof createDetection>>>;
  readonly searched: Searched;
  readonly unreadable: number;
  readonly question: Question;
}

function answerOf(outcome: Outcome): Found {
  const { hits, detected, searched } = outcome;
  const looked = new Set(searched.scans.flatMap(({ places }) => places));
  // Where it was found, something could see it, whatever the report says of its scope.
  const couldDetect = new Set([...detected.places, ...[...hits.hosts].filter((label) => looked.has(label))]);
  const answer = judge(outcome);
  return Found.parse({
    summary: searchSummary(outcome, answer, {
      looked: looked.size,
      blind: searched.inQuestion.size - couldDetect.size,
    }),
    answer,
    hosts: { searched: looked.size, could_detect: couldDetect.size },
    scans: hits.scans,
    findings: hits.findings,
    total: hits.total,
    suppressed: hits.suppressed,
    ...(hits.nextCursor === undefined ? {} : { next_cursor: hits.nextCursor }),
  });
}

/** A suppressed finding is there all the same. Absence counts only where everything asked about was looked at for it. */
function judge({ hits, detected, searched, unreadable, question }: Outcome): FoundAnswer {
  if (hits.total > 0 || hits.suppressed > 0) return 'found';
  const { inQuestion, isCut } = searched;
  const isSeen = inQuestion.size > 0 && inQuestion.size >= question.wanted.addresses && !isCut && unreadable === 0;
  return isSeen && [...inQuestion].every((place) => detected.places.has(place)) ? 'not_found' : 'cannot_tell';
}
