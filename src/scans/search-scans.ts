import type { ScanRecord } from '../model/scan.ts';
import type { Looked } from '../findings/findings.ts';
import type { LookFacts } from '../findings/look-proof.ts';
import type { ScanIndex } from '../queue/scan-index.ts';
import { hasResults } from './choose-base.ts';
import type { ScanDeps } from './deps.ts';
import { lookFacts } from './look-facts.ts';
import { readable } from './readable.ts';
import type { Wanted } from './search-places.ts';

/** Files opened for one answer: beyond that nothing can be called not found. */
export const MOST_SCANS = 500;
const PAGE = 100;

/** A scan that is searched, and for which places it speaks. */
export interface SearchedScan {
  readonly scanId: string;
  readonly engine: string;
  readonly finishedAt: number;
  readonly file: string;
  readonly facts: LookFacts;
  /** Places it looked at and that are asked about; for the newest only, those nobody looked at since. */
  readonly places: readonly string[];
}

export interface Searched {
  /** Newest first. */
  readonly scans: readonly SearchedScan[];
  /** Places in question: looked at or at least asked for. */
  readonly inQuestion: ReadonlySet<string>;
  /** There were more scans than are searched. */
  readonly isCut: boolean;
}

interface Deps extends Pick<ScanDeps, 'queue' | 'files' | 'findings' | 'log'> {
  readonly index: ScanIndex;
}

export interface Which {
  readonly tenant: string;
  readonly wanted: Wanted;
  /** Epoch milliseconds. */
  readonly finishedAfter: number;
  readonly latestOnly: boolean;
  /** Scans searched; `MOST_SCANS` when absent. */
  readonly most?: number;
}

export async function scansToSearch(deps: Deps, which: Which): Promise<Searched> {
  // Where nothing was named every place is wanted, and a million of them need not be read.
  const isWanted = (place: string): boolean => which.wanted.everywhere || which.wanted.has(place);
  const looks = (await deps.index.latest(which.tenant)).filter(({ place }) => isWanted(place));
  const inQuestion = new Set(looks.map(({ place }) => place));
  const all = which.latestOnly ? await latestScans(deps, which, looks) : await allScans(deps, which);
  const newest = all.toSorted((a, b) => b.finishedAt - a.finishedAt || (a.scanId < b.scanId ? -1 : 1));
  const { most = MOST_SCANS } = which;
  return { scans: newest.slice(0, most), inQuestion, isCut: newest.length > most };
}

async function latestScans(
  { queue, files }: Deps,
  { tenant, finishedAfter }: Which,
  looks: Awaited<ReturnType<ScanIndex['latest']>>,
): Promise<SearchedScan[]> {
  const byScan = new Map<string, string[]>();
  for (const { place, engine, scanId, finishedAt } of looks) {
    if (engine === undefined || finishedAt <= finishedAfter) continue;
    const places = byScan.get(scanId);
    if (places) places.push(place);
    else byScan.set(scanId, [place]);
  }
  const found: SearchedScan[] = [];
  for (const [scanId, places] of byScan) {
    const scan = await queue.get(tenant, scanId);
    const file = scan && hasResults(scan) ? files.findingsOf(scan) : undefined;
    if (scan && file !== undefined) found.push(searched(scan, file, places));
  }
  return found;
}

/** Every finished scan; which of its places are asked about stands in its file. */
async function allScans({ queue, files, findings, log }: Deps, which: Which): Promise<SearchedScan[]> {
  const { most = MOST_SCANS } = which;
  const found: SearchedScan[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.list(which.tenant, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const scan of page.scans) {
      const file =
        hasResults(scan) && (scan.finishedAt ?? 0) > which.finishedAfter ? files.findingsOf(scan) : undefined;
      if (file === undefined || found.length > most) continue;
      const looked = await readable(log, scan.scanId, () => findings.looked(file));
      found.push(searched(scan, file, looked ? wantedOf(looked, which.wanted) : []));
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined && found.length <= most);
  return found;
}

/** Places it looked at that are asked about, in the spelling they are asked for. */
function wantedOf({ places, spellings = [] }: Looked, wanted: Wanted): string[] {
  const looked = places.filter(({ status }) => status === 'tested' || status === 'partial');
  const seen = new Set(looked.map(({ place }) => place));
  const own = [...seen].filter((place) => wanted.has(place));
  if (wanted.everywhere) return own;
  const also = spellings.filter(({ text, place }) => seen.has(place) && wanted.has(text));
  return [...new Set([...own, ...also.map(({ text }) => text)])];
}

const searched = (scan: ScanRecord, file: string, places: readonly string[]): SearchedScan => ({
  scanId: scan.scanId,
  engine: scan.engine,
  finishedAt: scan.finishedAt ?? 0,
  file,
  facts: lookFacts(scan),
  places,
});
