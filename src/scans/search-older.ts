import { searchHits, type Asked } from './search-hits.ts';
import { scansToSearch, type Which } from './search-scans.ts';
import type { Detected } from './detection.ts';

/** Files opened to see whether older scans had found it. */
const MOST_OLDER = 100;

/** Findings of older scans where no newer one proves anything. */
export interface Older {
  readonly findings: number;
  readonly scans: number;
}

/** What the newest scans do not show, and do not disprove either. */
export async function olderHits(
  deps: Parameters<typeof scansToSearch>[0],
  which: Which,
  asked: Asked,
  detected: Detected,
): Promise<Older> {
  const all = await scansToSearch(deps, { ...which, latestOnly: false, most: MOST_OLDER });
  const open = all.scans.map((scan) => ({
    ...scan,
    places: scan.places.filter((place) => !detected.places.has(place)),
  }));
  const { cursor: _cursor, ...input } = asked.input;
  const searched = { ...all, scans: open.filter(({ places }) => places.length > 0) };
  const hits = await searchHits(deps, { ...asked, searched, input: { ...input, max_tokens: 0 } });
  return { findings: hits.total + hits.suppressed, scans: hits.scansWith };
}
