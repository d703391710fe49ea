import type { ScanRecord } from '../model/scan.ts';
import type { FileLook, LooksOutput } from '../findings/searching.ts';
import type { Look, ScanIndex } from '../queue/scan-index.ts';
import type { ScanDeps } from './deps.ts';
import { looksInFile } from './looks-in-file.ts';
import { placeOfNone } from './place-of-none.ts';
import { readable } from './readable.ts';
import { hostWord } from './search-places.ts';

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
  const done = await readable(log, scanId, async () => {
    const parts = file === undefined ? noLooks(scan.engine) : looksInFile(findings, file);
    const { value: first } = await parts.next();
    const engine = first?.engine ?? scan.engine;
    await index.add({ tenant, scanId, engine, finishedAt }, looksOf(scan, first, parts));
    return true;
  });
  return done === true;
}

async function* noLooks(engine: string): AsyncGenerator<LooksOutput> {
  yield { engine, looks: [], isLast: true };
}

async function* looksOf(
  scan: ScanRecord,
  first: LooksOutput | undefined,
  others: AsyncIterable<LooksOutput>,
): AsyncGenerator<readonly Look[]> {
  if (first === undefined || first.looks.length === 0) yield [{ place: placeOfNone(scan), isLooked: true, also: [] }];
  else yield first.looks.map(lookOf);
  for await (const { looks } of others) yield looks.map(lookOf);
}

/** What is more than a host is found by its host as well. */
function lookOf(look: FileLook): Look {
  const word = hostWord(look.place);
  return { ...look, ...(word === undefined || word === look.place ? {} : { findBy: [word] }) };
}
