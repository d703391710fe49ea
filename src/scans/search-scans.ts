import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ScanRecord } from '../model/scan.ts';
import type { LookFacts } from '../findings/look-proof.ts';
import type { LatestLook, ScanIndex } from '../queue/scan-index.ts';
import { parseAddress } from '../policy/address.ts';
import { askedPlace, wordsInQuestion, type AskedPlace } from './asked-place.ts';
import { hasResults } from './choose-base.ts';
import type { ScanDeps } from './deps.ts';
import { lookFacts } from './look-facts.ts';
import { looksInFile } from './looks-in-file.ts';
import { createNewestScans } from './newest-scans.ts';
import { placeOfNone } from './place-of-none.ts';
import { readable } from './readable.ts';
import type { Wanted } from './search-places.ts';

/** Files opened for one answer: beyond that nothing can be called not found. */
export const MOST_SCANS = 500;
const PAGE = 100;
/** Names looked at whose address is not known. */
const MOST_UNPLACED = 1_000;

/** A scan that is searched, and for which places it speaks. */
export interface SearchedScan {
  readonly scanId: string;
  readonly engine: string;
  readonly finishedAt: number;
  readonly file: string;
  readonly facts: LookFacts;
  /** Places it looked at and that are asked about; for the newest only, those nobody looked at since. */
  readonly places: readonly AskedPlace[];
  /** Its file could not be read, so that its places are not known. */
  readonly isUnread?: boolean;
}

export interface Searched {
  /** Newest first. */
  readonly scans: readonly SearchedScan[];
  /** How many words have to be proven: those of places that were looked at or at least asked for. */
  readonly inQuestion: number;
  /** How many of them are addresses; not counted where the question names no place. */
  readonly addresses: number;
  /** Names that may be meant, because their address is not known; up to 1,000. */
  readonly unplaced: readonly string[];
  /** There were more scans than are searched. */
  readonly isCut: boolean;
}

export interface SearchScansDeps extends Pick<ScanDeps, 'queue' | 'files' | 'findings' | 'log'> {
  readonly index: ScanIndex;
}

export interface Which {
  readonly tenant: string;
  readonly wanted: Wanted;
  /** Epoch milliseconds. */
  readonly finishedAfter: number;
  readonly latestOnly: boolean;
}

export async function scansToSearch(deps: SearchScansDeps, which: Which): Promise<Searched> {
  const { tenant, wanted, latestOnly } = which;
  const words = createWordCount(wanted.everywhere);
  const newest = await newestInQuestion(deps.index, which, words);
  const unplaced = wanted.isByAddress ? await deps.index.unplaced(tenant, MOST_UNPLACED) : [];
  const found: SearchedScan[] = [];
  let opened = 0;
  for await (const scan of latestOnly ? withFiles(deps, tenant, newest.newest()) : allScans(deps, which)) {
    opened += 1;
    // One that has nothing to do with what is asked about is none of the scans that were searched.
    if (wanted.everywhere || scan.places.length > 0 || scan.isUnread === true) found.push(scan);
    // An older scan may know a name by another address.
    if (!latestOnly && !wanted.everywhere) for (const asked of scan.places) words.add(asked);
    if (opened > MOST_SCANS) break;
  }
  const scans = found.toSorted((a, b) => b.finishedAt - a.finishedAt).slice(0, MOST_SCANS);
  return { scans, ...words.counts(), unplaced, isCut: newest.isCut() || opened > MOST_SCANS };
}

async function newestInQuestion(
  index: ScanIndex,
  which: Which,
  words: WordCount,
): Promise<ReturnType<typeof createNewestScans>> {
  const { wanted, finishedAfter, latestOnly } = which;
  const newest = createNewestScans(MOST_SCANS);
  for await (const looks of looksInQuestion(index, which)) {
    for (const look of looks) {
      const asked = askedPlace(look, wanted);
      if (asked === undefined) continue;
      words.add(asked);
      if (latestOnly && look.engine !== undefined && look.finishedAt > finishedAfter) newest.add(look, asked);
    }
  }
  return newest;
}

/** Where a question names few words, only looks at those; else all of them, in parts. */
async function* looksInQuestion(
  index: ScanIndex,
  { tenant, wanted }: Which,
): AsyncGenerator<readonly LatestLook[], void, undefined> {
  if (wanted.words === undefined) return yield* index.latest(tenant);
  const seen = new Set<string>();
  for (const word of wanted.words) {
    const looks = await index.latestAt(tenant, word);
    yield looks.filter(({ place }) => !seen.has(place));
    for (const { place } of looks) seen.add(place);
  }
}

interface WordCount {
  add(asked: AskedPlace): void;
  counts(): Pick<Searched, 'inQuestion' | 'addresses'>;
}

/** Looks of everywhere come by place, so that equal words stand side by side: no million of them is kept. */
function createWordCount(isEverywhere: boolean): WordCount {
  const words = new Set<string>();
  let [count, addresses, last] = [0, 0, ''];
  const note = (word: string): void => {
    if (words.has(word)) return;
    words.add(word);
    if (parseAddress(word)) addresses += 1;
  };
  return {
    add(asked) {
      if (!isEverywhere) wordsInQuestion(asked).forEach(note);
      else if (count === 0 || asked.place !== last) {
        count += 1;
        last = asked.place;
      }
    },
    counts: () => ({ inQuestion: isEverywhere ? count : words.size, addresses }),
  };
}

async function* withFiles(
  { queue, files }: SearchScansDeps,
  tenant: string,
  newest: readonly { readonly scanId: string; readonly places: readonly AskedPlace[] }[],
): AsyncGenerator<SearchedScan> {
  for (const [at, { scanId, places }] of newest.entries()) {
    const scan = await queue.get(tenant, scanId);
    const file = scan && hasResults(scan) ? files.findingsOf(scan) : undefined;
    if (scan && file !== undefined) yield searched(scan, file, places);
    if (at % PAGE === PAGE - 1) await yieldToOthers();
  }
}

/**
 * Every finished scan, the one that was created last first. Which of its places are asked about stands in its file: it is
 * read unless nobody wants to know them.
 */
export async function* allScans(
  deps: SearchScansDeps,
  which: Which,
  withPlaces: boolean = true,
): AsyncGenerator<SearchedScan> {
  const { queue, files, log } = deps;
  let cursor: string | undefined;
  do {
    const page = await queue.list(which.tenant, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const scan of page.scans) {
      const file =
        hasResults(scan) && (scan.finishedAt ?? 0) > which.finishedAfter ? files.findingsOf(scan) : undefined;
      if (file === undefined) continue;
      const places = withPlaces ? await readable(log, scan.scanId, () => askedIn(deps, which, file, scan)) : [];
      yield { ...searched(scan, file, places ?? []), isUnread: places === undefined };
    }
    await yieldToOthers();
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** Of a file that lists no places, the one that stands for them in the index. */
async function askedIn(
  { findings }: SearchScansDeps,
  { wanted }: Which,
  file: string,
  scan: ScanRecord,
): Promise<AskedPlace[]> {
  const places: AskedPlace[] = [];
  let isListing = false;
  for await (const { looks } of looksInFile(findings, file, wanted.words)) {
    for (const look of looks) {
      isListing = true;
      const asked = look.isLooked ? askedPlace(look, wanted) : undefined;
      if (asked) places.push(asked);
    }
  }
  return isListing || !wanted.everywhere ? places : [{ place: placeOfNone(scan), also: [] }];
}

const searched = (scan: ScanRecord, file: string, places: readonly AskedPlace[]): SearchedScan => ({
  scanId: scan.scanId,
  engine: scan.engine,
  finishedAt: scan.finishedAt ?? 0,
  file,
  facts: lookFacts(scan),
  places,
});
