import type { Place } from '../model/coverage.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { ScanIndex } from '../queue/scan-index.ts';
import type { ScanDeps } from './deps.ts';
import { readable } from './readable.ts';

const BATCH = 100;

export interface IndexDeps extends Pick<ScanDeps, 'findings' | 'files' | 'log'> {
  readonly index: ScanIndex;
}

/** Enters finished scans that are not in the index yet. Says how many of them cannot be read. */
export type IndexScans = (tenant: string) => Promise<{ readonly unreadable: number }>;

/**
 * A scan is entered when it has ended, and at the latest when somebody asks: whatever was cut off by a crash is made up
 * for here. Calls for one tenant run one after the other.
 */
export function createIndexScans(deps: IndexDeps): IndexScans {
  const running = new Map<string, Promise<{ readonly unreadable: number }>>();
  return (tenant) => {
    const before = running.get(tenant) ?? Promise.resolve();
    const mine = before.then(
      () => enterAll(deps, tenant),
      () => enterAll(deps, tenant),
    );
    running.set(tenant, mine);
    const forget = (): void => {
      if (running.get(tenant) === mine) running.delete(tenant);
    };
    mine.then(forget, forget);
    return mine;
  };
}

async function enterAll(deps: IndexDeps, tenant: string): Promise<{ unreadable: number }> {
  const unreadable = new Set<string>();
  for (;;) {
    const batch = await deps.index.missing(tenant, BATCH + unreadable.size);
    const open = batch.filter(({ scanId }) => !unreadable.has(scanId));
    if (open.length === 0) return { unreadable: unreadable.size };
    for (const scan of open) if (!(await enter(deps, scan))) unreadable.add(scan.scanId);
  }
}

/** False when the findings of the scan cannot be read: it is tried again the next time. */
async function enter({ index, findings, files, log }: IndexDeps, scan: ScanRecord): Promise<boolean> {
  const { tenant, scanId, finishedAt = 0 } = scan;
  const file = files.findingsOf(scan);
  const looked =
    file === undefined
      ? { engine: scan.engine, places: [], spellings: [] }
      : await readable(log, scanId, () => findings.looked(file));
  if (!looked) return false;
  const isLooked = ({ status }: Place): boolean => status === 'tested' || status === 'partial';
  const namesOf = (places: readonly Place[]): string[] => places.map(({ place }) => place);
  const { engine, places, spellings = [] } = looked;
  const seen = new Set(namesOf(places.filter(isLooked)));
  const also = spellings.flatMap(({ text, place }) => (seen.has(place) ? [text] : []));
  await index.add({
    tenant,
    scanId,
    engine,
    finishedAt,
    looked: places.length === 0 ? [placeOfNone(scan)] : [...new Set([...seen, ...also])],
    missed: namesOf(places.filter((place) => !isLooked(place))),
  });
  return true;
}

/** Stands for everything in reports without places (of code, for one), so that a later report takes its place. */
const placeOfNone = ({ request: { targets } }: ScanRecord): string => `(no hosts) ${targets.join(' ')}`.slice(0, 500);
