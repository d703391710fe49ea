import type { Found, SearchInput } from '../model/contract/search.ts';
import { encodeCursor } from '../findings/cursor.ts';
import type { FindingFilter, ShownFinding, Suppressions } from '../findings/findings.ts';
import type { SearchInput as FileQuestion, SearchOutput } from '../findings/searching.ts';
import { estimateTokens } from '../findings/tokens.ts';
import { wordsClaimed } from './asked-place.ts';
import type { ScanDeps } from './deps.ts';
import { packed } from './pack-places.ts';
import { roomBeside } from './page-room.ts';
import { readable } from './readable.ts';
import { cursorHash } from './search-cursor.ts';
import { afterIn, createPageOrder, positionOf, showPage, startOf } from './search-page.ts';
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
  /** Matches that their own report marks as gone; they are in no other number. */
  readonly gone: number;
  /** Files that could not be read. */
  readonly unreadable: number;
  /** Places with a match, as their scans list them. */
  readonly places: ReadonlySet<string>;
  /** Scans with a match, suppressed ones included. */
  readonly scansWith: number;
  /** Fingerprints of all that match, in parts; absent when they are too many to keep. */
  readonly prints?: readonly Uint8Array[];
  readonly scans: Found['scans'];
  readonly findings: readonly ShownFinding[];
  readonly nextCursor?: string;
}

/** Share of the budget that the list of scans may take. */
const SCANS_SHARE = 0.25;
/** Share of names whose address is not known, where there are such. */
export const NAMES_SHARE = 0.1;
/** Summary, counts and answer. */
const FRAME_TOKENS = 150;
/** Findings are larger than this: so many are enough for a page. */
const LEAST_FINDING_TOKENS = 40;
/** 800 kB; they go to the reader threads with each question to an older scan. */
export const MAX_PRINTS = 50_000;
const PRINT_BYTES = 16;

export type HitDeps = Pick<ScanDeps, 'findings' | 'log'>;

/** Every file is counted, one after the other; of all of them the most urgent are shown that the last page left. */
export async function searchHits(deps: HitDeps, asked: Asked): Promise<Hits> {
  const { input, searched } = asked;
  const start = await startOf(deps, asked);
  const share = SCANS_SHARE + (searched.unplaced.length > 0 ? NAMES_SHARE : 0);
  const room = roomBeside(input.max_tokens, FRAME_TOKENS + input.max_tokens * share);
  const page = createPageOrder(Math.ceil(room / LEAST_FINDING_TOKENS));
  const sum = createSum();
  for (const [at, scan] of searched.scans.entries()) {
    const output = await askFile(deps, asked, scan, {
      ...afterIn(start, at),
      limit: page.limit,
      maxPrints: MAX_PRINTS,
    });
    if (!output) continue;
    sum.add(scan, output);
    page.add(at, output.first);
  }
  const shown = await showPage(deps, asked, page.first(), room);
  const last = shown.last;
  return {
    ...sum.all(),
    findings: shown.findings,
    unreadable: searched.scans.length - sum.answered(),
    scans: sum.shownScans(Math.floor(input.max_tokens * SCANS_SHARE)),
    ...(last === undefined ? {} : { nextCursor: encodeCursor(await cursorHash(asked), positionOf(last)) }),
  };
}

type Page = Pick<FileQuestion, 'after' | 'limit' | 'maxPrints' | 'except'>;

/** Undefined for a file that cannot be read. */
export const askFile = (
  { findings, log }: HitDeps,
  { input, question, suppressions }: Asked,
  scan: SearchedScan,
  page: Page,
): Promise<SearchOutput | undefined> =>
  readable(log, scan.scanId, async () =>
    findings.search({
      ref: { file: scan.file, scanId: scan.scanId },
      filter: question.filter,
      include_suppressed: input.include_suppressed,
      suppressions,
      ...(await claimOf(scan, question, input.latest_only)),
      ...page,
    }),
  );

/** A finding counts only at the places the scan speaks for. Where all scans of everywhere are asked, that is all of it. */
const claimOf = async (
  { places }: SearchedScan,
  { wanted }: Question,
  latestOnly: boolean,
): Promise<Pick<FileQuestion, 'claim'>> =>
  wanted.everywhere && !latestOnly
    ? {}
    : { claim: { places: await packed(places, wordsClaimed), others: wanted.everywhere } };

/** Fingerprints as long as they are few enough. */
function createPrints(): { add(part: Uint8Array | undefined): void; all(): Pick<Hits, 'prints'> } {
  const prints: Uint8Array[] = [];
  let left: number | undefined = MAX_PRINTS * PRINT_BYTES;
  return {
    add(part) {
      left = part === undefined || left === undefined || part.length > left ? undefined : left - part.length;
      if (part !== undefined && left !== undefined && part.length > 0) prints.push(part);
    },
    all: () => (left === undefined ? {} : { prints }),
  };
}

function createSum() {
  const places = new Set<string>();
  const scans: Found['scans'] = [];
  let [total, suppressed, gone, scansWith] = [0, 0, 0, 0];
  const prints = createPrints();
  return {
    answered: () => scans.length,
    add({ scanId, engine, finishedAt, places: asked }: SearchedScan, output: SearchOutput): void {
      total += output.total;
      suppressed += output.suppressed;
      gone += output.gone;
      if (output.total + output.suppressed > 0) {
        scansWith += 1;
        // A report without places is one place itself.
        const found = output.places.length > 0 ? output.places : asked.slice(0, 1).map(({ place }) => place);
        for (const place of found) places.add(place);
      }
      prints.add(output.prints);
      scans.push({ scan_id: scanId, engine, finished_at: isoTime(finishedAt), findings: output.total });
    },
    all: () => ({ total, suppressed, gone, scansWith, places, ...prints.all() }),
    /** Those with findings first. */
    shownScans(budget: number): Found['scans'] {
      const shown: Found['scans'] = [];
      let left = budget;
      for (const entry of scans.toSorted((a, b) => Math.sign(b.findings) - Math.sign(a.findings))) {
        left -= estimateTokens(JSON.stringify(entry)) + 1;
        if (left < 0) return shown;
        shown.push(entry);
      }
      return shown;
    },
  };
}
