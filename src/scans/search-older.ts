import type { FoundAnswer } from '../model/contract/search.ts';
import type { Detected } from './detection.ts';
import { askFile, MAX_PRINTS, type Asked, type Hits } from './search-hits.ts';
import { allScans, type SearchedScan, type SearchScansDeps, type Which } from './search-scans.ts';
import { inSlices } from './slices.ts';

/** Files opened to see whether older scans had found more. */
const MOST_OLDER = 100;

/** What older scans found and the newest ones do not show. */
export interface Older {
  /** Each once, in however many scans it was. */
  readonly findings: number;
  readonly scans: number;
  /** No newer look disproves it. */
  readonly isOpen: boolean;
}

interface Newest {
  readonly answer: FoundAnswer;
  readonly hits: Hits;
  readonly detected: Detected;
}

/**
 * What older scans found and none of the newest shows, by fingerprint. Where the answer is open, first only at places
 * where no newer look disproves it. Undefined where the newest found too much to tell.
 */
export async function olderHits(
  deps: SearchScansDeps,
  which: Which,
  asked: Asked,
  newest: Newest,
): Promise<Older | undefined> {
  const { prints } = newest.hits;
  if (prints === undefined) return undefined;
  const open = newest.answer === 'cannot_tell' ? await countOlder(deps, which, asked, newest, prints, true) : undefined;
  return open !== undefined && open.findings > 0 ? open : countOlder(deps, which, asked, newest, prints, false);
}

/** @param isOpen Only at places where no newer look disproves it. */
async function countOlder(
  deps: SearchScansDeps,
  which: Which,
  asked: Asked,
  { detected }: Newest,
  prints: readonly Uint8Array[],
  isOpen: boolean,
): Promise<Older> {
  const known = [...prints];
  let [findings, scans, seen] = [0, 0, 0];
  const needsPlaces = isOpen || !which.wanted.everywhere;
  for await (const scan of allScans(deps, which, needsPlaces)) {
    seen += 1;
    if (seen > MOST_OLDER) break;
    const open = isOpen ? await withoutDisproved(scan, detected) : scan;
    if (needsPlaces && open.places.length === 0) continue;
    const input = { ...asked.input, latest_only: isOpen, include_suppressed: true };
    const page = { limit: 0, maxPrints: MAX_PRINTS, except: Buffer.concat(known) };
    const output = await askFile(deps, { ...asked, input }, open, page);
    if (output === undefined || output.total === 0) continue;
    findings += output.total;
    scans += 1;
    if (output.prints === undefined) break;
    known.push(output.prints);
  }
  return { findings, scans, isOpen };
}

async function withoutDisproved(scan: SearchedScan, { places: proven }: Detected): Promise<SearchedScan> {
  const places: SearchedScan['places'][number][] = [];
  for await (const slice of inSlices(scan.places)) {
    for (const asked of slice) if (!(asked.by ?? [asked.place]).every((word) => proven.has(word))) places.push(asked);
  }
  return { ...scan, places };
}
