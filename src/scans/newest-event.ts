import type { ScanEvent, ScanQueue } from '../queue/queue.ts';

/**
 * The last event of a scan, in a number of looks that grows with the logarithm of their number: a long scan has tens of
 * thousands. Undefined when there is no such scan.
 */
export async function newestEvent(
  queue: Pick<ScanQueue, 'events'>,
  tenant: string,
  scanId: string,
): Promise<ScanEvent | undefined> {
  const firstAfter = async (seq: number): Promise<ScanEvent | undefined> =>
    (await queue.events(tenant, scanId, seq, 1))[0];
  let newest = await firstAfter(0);
  if (!newest) return undefined;
  // Nothing comes after `none`; events only ever grow, so what was found stays found.
  let none: number | undefined;
  while (none === undefined || newest.seq < none) {
    const probe: number = none === undefined ? newest.seq * 2 - 1 : Math.floor((newest.seq + none) / 2);
    const found: ScanEvent | undefined = await firstAfter(probe);
    if (found) newest = found;
    else none = probe;
  }
  return newest;
}
