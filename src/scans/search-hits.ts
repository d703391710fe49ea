import { createHash } from 'node:crypto';
import type { Found, SearchInput } from '../model/contract/search.ts';
import { decodeCursor, encodeCursor } from '../findings/cursor.ts';
import type { FindingFilter, ShownFinding, Suppressions } from '../findings/findings.ts';
import type { SearchInput as FileQuestion, SearchOutput } from '../findings/searching.ts';
import { estimateTokens } from '../findings/tokens.ts';
import type { ScanDeps } from './deps.ts';
import { roomBeside } from './page-room.ts';
import { readable } from './readable.ts';
import type { Wanted } from './search-places.ts';
import type { Searched, SearchedScan } from './search-scans.ts';
import { isoTime } from './time.ts';

export interface Question {
  readonly filter: FindingFilter;
  readonly wanted: Wanted;
}

export interface Asked {
  readonly input: SearchInput;
  readonly question: Question;
  readonly searched: Searched;
  readonly suppressions: Suppressions;
}

export interface Hits {
  readonly total: number;
  readonly suppressed: number;
  /** Files that could not be read. */
  readonly unreadable: number;
  /** Labels of the hosts with a match. */
  readonly hosts: ReadonlySet<string>;
  /** Scans with a match, suppressed ones included. */
  readonly scansWith: number;
  /** Places by their other spellings. */
  readonly spellings: ReadonlyMap<string, string>;
  readonly scans: Found['scans'];
  readonly findings: readonly ShownFinding[];
  readonly nextCursor?: string;
}

/** A file and what it answered. */
interface Answered {
  readonly scan: SearchedScan;
  readonly output: SearchOutput;
}

/** Share of the budget that the list of scans may take. */
const SCANS_SHARE = 0.25;
/** Summary, counts and answer. */
const FRAME_TOKENS = 150;
const MAX_FINDINGS = 2 ** 32;

type Deps = Pick<ScanDeps, 'findings' | 'log'>;

/** Every file is counted, one after the other; findings are shown from where the last page ended. */
export async function searchHits(deps: Deps, asked: Asked): Promise<Hits> {
  const { input, searched } = asked;
  const hash = hashOf(asked);
  const position = Math.max(decodeCursor(hash, input.cursor) - 1, 0);
  const [startScan, startIndex] = [Math.floor(position / MAX_FINDINGS), position % MAX_FINDINGS];
  const answered: Answered[] = [];
  let left = roomBeside(input.max_tokens, FRAME_TOKENS + input.max_tokens * SCANS_SHARE);
  let next: number | undefined;
  for (const [at, scan] of searched.scans.entries()) {
    const isShown = at >= startScan && next === undefined;
    const from = at === startScan ? startIndex : 0;
    const output = await askFile(deps, asked, scan, {
      from,
      max_tokens: isShown ? Math.max(left, 0) : 0,
      must_show: isShown && answered.every((other) => other.output.findings.length === 0),
    });
    if (!output) continue;
    answered.push({ scan, output });
    left -= estimateTokens(JSON.stringify(output.findings));
    if (isShown && output.next !== undefined) next = at * MAX_FINDINGS + output.next;
  }
  return {
    ...sumOf(answered),
    unreadable: searched.scans.length - answered.length,
    scans: shownScans(answered, Math.floor(input.max_tokens * SCANS_SHARE)),
    ...(next === undefined ? {} : { nextCursor: encodeCursor(hash, next + 1) }),
  };
}

const askFile = (
  { findings, log }: Deps,
  { input, question, suppressions }: Asked,
  scan: SearchedScan,
  page: Pick<FileQuestion, 'from' | 'max_tokens' | 'must_show'>,
): Promise<SearchOutput | undefined> =>
  readable(log, scan.scanId, () =>
    findings.search({
      ref: { file: scan.file, scanId: scan.scanId },
      filter: question.filter,
      include_suppressed: input.include_suppressed,
      suppressions,
      ...claimOf(scan, question, input.latest_only),
      ...page,
    }),
  );

/** A finding counts only at the places the scan speaks for. Where all scans of everywhere are asked, that is all of it. */
const claimOf = ({ places }: SearchedScan, { wanted }: Question, latestOnly: boolean) =>
  wanted.everywhere && !latestOnly ? {} : { claim: { places, others: wanted.everywhere } };

const sumOf = (
  answered: readonly Answered[],
): Pick<Hits, 'total' | 'suppressed' | 'hosts' | 'scansWith' | 'spellings' | 'findings'> => ({
  total: answered.reduce((sum, { output }) => sum + output.total, 0),
  suppressed: answered.reduce((sum, { output }) => sum + output.suppressed, 0),
  hosts: new Set(answered.flatMap(({ output }) => output.hosts)),
  scansWith: answered.filter(({ output }) => output.total > 0 || output.suppressed > 0).length,
  spellings: spellingsOf(answered),
  findings: answered.flatMap(({ output }) => output.findings),
});

/** Scans may list one host by either word: the first of them decides. */
function spellingsOf(answered: readonly Answered[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { text, place } of answered.flatMap(({ output }) => output.spellings)) {
    if (!found.has(text) && found.get(place) === undefined) found.set(text, place);
  }
  return found;
}

/** What a cursor belongs to: the scans that are searched, in their order, and the question. A scan that ends changes it. */
function hashOf({ input, searched, suppressions }: Asked): string {
  const { cursor: _cursor, max_tokens: _budget, ...asked } = input;
  const sorted = Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(['search', sorted, suppressions.version]));
  for (const { scanId, places } of searched.scans) {
    hash.update(JSON.stringify([scanId, places.length]));
    // In parts: one text of a million places would be large.
    for (let at = 0; at < places.length; at += 1_000) hash.update(JSON.stringify(places.slice(at, at + 1_000)));
  }
  return hash.digest('hex');
}

/** Those with findings first. */
function shownScans(answered: readonly Answered[], budget: number): Found['scans'] {
  const shown: Found['scans'] = [];
  let left = budget;
  const order = answered.toSorted((a, b) => Math.sign(b.output.total) - Math.sign(a.output.total));
  for (const { scan, output } of order) {
    const { scanId, engine, finishedAt } = scan;
    const entry = { scan_id: scanId, engine, finished_at: isoTime(finishedAt), findings: output.total };
    left -= estimateTokens(JSON.stringify(entry)) + 1;
    if (left < 0) return shown;
    shown.push(entry);
  }
  return shown;
}
