import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { z } from 'zod';
import type { ScanRecord } from '../../model/scan.ts';
import type { IndexedScan, LatestLook, Look, ScanIndex } from '../scan-index.ts';
import { recordOf } from './record.ts';
import type { Script } from './script.ts';
import {
  BEGIN_LOOKS,
  CLEAR_LOOKS,
  END_LOOKS,
  ENTER_LOOKS,
  LOOKS_AT,
  MISSING_SCANS,
  READ_LOOKS,
  READ_UNPLACED,
} from './scripts/scan-index.ts';
import type { RedisStore } from './store.ts';

/** Redis does nothing else while a step runs: each of these takes it a few milliseconds at most. */
const ENTERED_AT_ONCE = 250;
const READ_AT_ONCE = 500;
const SCANS_AT_ONCE = 100;
const PLACES_AT_ONCE = 100;

/** Stands for the engine of a place nobody could look at. */
const NOBODY = '';

/** The index in Redis. */
export function createRedisScanIndex(store: RedisStore): ScanIndex {
  return {
    missing: (tenant, limit) => missing(store, tenant, limit),
    add: (scan, looks) => add(store, scan, looks),
    latest: (tenant) => parts(store, READ_LOOKS, [tenant], READ_AT_ONCE),
    async latestAt(tenant, word) {
      const found: LatestLook[] = [];
      for await (const looks of parts(store, LOOKS_AT, [tenant, word], PLACES_AT_ONCE)) found.push(...looks);
      return found.toSorted((a, b) => compare(a.place, b.place) || compare(a.engine ?? NOBODY, b.engine ?? NOBODY));
    },
    unplaced: (tenant, most) => unplaced(store, tenant, most),
  };
}

/** By bytes, as Redis orders them. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function missing(store: RedisStore, tenant: string, limit: number): Promise<readonly ScanRecord[]> {
  const found: ScanRecord[] = [];
  for (let from = 0; from < limit; from += SCANS_AT_ONCE) {
    const to = Math.min(limit, from + SCANS_AT_ONCE) - 1;
    const replies = z.array(z.unknown()).parse(await store.run(MISSING_SCANS, tenant, from, to));
    found.push(...replies.map(recordOf));
    if (replies.length === 0) break;
  }
  return found;
}

const Begun = z.tuple([z.string(), z.string(), z.string()]);

/** In several steps; only the last one says that the scan is in. */
async function add(store: RedisStore, scan: IndexedScan, looks: AsyncIterable<readonly Look[]>): Promise<void> {
  const { tenant, scanId, engine, finishedAt } = scan;
  const begun = Begun.safeParse(await store.run(BEGIN_LOOKS, tenant, scanId));
  if (!begun.success) return;
  const [epoch, order, round] = begun.data;
  for await (const part of looks) {
    for (let from = 0; from < part.length; from += ENTERED_AT_ONCE) {
      const entered = part.slice(from, from + ENTERED_AT_ONCE).map((look) => lookText(look, engine));
      const text = JSON.stringify(entered);
      // It may have been removed or started again meanwhile.
      if ((await store.run(ENTER_LOOKS, tenant, scanId, epoch, finishedAt, order, text)) !== 1) return;
      await yieldToOthers();
    }
  }
  await store.run(END_LOOKS, tenant, scanId, epoch, round);
}

function lookText({ place, isLooked, also, findBy = [] }: Look, engine: string): readonly unknown[] {
  const others = also === 'unknown' ? [] : also;
  const words = [...others, ...findBy].filter((word) => word !== place);
  return [place, isLooked ? engine : NOBODY, also === 'unknown' ? null : others.join('\n'), words];
}

const Part = z.tuple([z.string(), z.array(z.string()), z.array(z.string())]);

/** Each part is read by itself. Looks that count no longer are cleared away on the way. */
async function* parts(
  store: RedisStore,
  script: Script,
  [tenant, ...more]: readonly [string, ...string[]],
  most: number,
): AsyncGenerator<readonly LatestLook[]> {
  let after = '';
  do {
    const [last, good, stale] = Part.parse(await store.run(script, tenant, ...more, after, most));
    const looks = good.flatMap((name, at) => (at % 2 === 0 ? [lookOf(name, good[at + 1] ?? '')] : []));
    if (stale.length > 0) await store.run(CLEAR_LOOKS, tenant, ...stale);
    if (looks.length > 0) yield looks;
    await yieldToOthers();
    after = last;
  } while (after !== '');
}

async function unplaced(store: RedisStore, tenant: string, most: number): Promise<readonly string[]> {
  const places = new Set<string>();
  for await (const looks of parts(store, READ_UNPLACED, [tenant], READ_AT_ONCE)) {
    for (const { place } of looks) {
      if (places.size === most) return [...places];
      places.add(place);
    }
  }
  return [...places];
}

/** @param name place and engine, apart by a NUL. @param said scan, epoch, time, order, `=` and words or `?`, by line. */
function lookOf(name: string, said: string): LatestLook {
  const [place = '', engine = NOBODY] = name.split('\0');
  const [scanId = '', , finishedAt, order, first = '?', ...others] = said.split('\n');
  const words = [first.slice(1), ...others].filter((word) => word !== '');
  return {
    place,
    also: first.startsWith('=') ? words : 'unknown',
    ...(engine === NOBODY ? {} : { engine }),
    scanId,
    finishedAt: Number(finishedAt),
    order: Number(order),
  };
}
