import { AppError } from '../model/errors.ts';
import { decodeCursor } from '../findings/cursor.ts';
import type { ShownFinding } from '../findings/findings.ts';
import { byUrgency, type SearchInput, type SearchPosition } from '../findings/searching.ts';
import { jsonWeight, pageWeight } from '../findings/tokens.ts';
import { readable } from './readable.ts';
import { cursorHash } from './search-cursor.ts';
import type { Asked, HitDeps } from './search-hits.ts';

/** A finding among those of all scans that are searched. */
export interface Placed extends SearchPosition {
  /** Place of its scan among them. */
  readonly scan: number;
}

/** More than a file can hold findings. */
const MAX_FINDINGS = 2 ** 32;
/** Shown at once. */
const CHUNK = 25;

/** The order of findings of many scans: by urgency, then by scan, then as each has them. */
const inOrder = (a: Placed, b: Placed): number => byUrgency(a.key, b.key) || a.scan - b.scan || a.index - b.index;

/** The number that a cursor carries: urgency itself stands in the file. */
export const positionOf = ({ scan, index }: Placed): number => scan * MAX_FINDINGS + index + 1;

/** The last finding of the page before; undefined on the first one. @throws AppError cursor_invalid */
export async function startOf({ findings, log }: HitDeps, asked: Asked): Promise<Placed | undefined> {
  const { cursor } = asked.input;
  if (cursor === undefined) return undefined;
  const position = decodeCursor(await cursorHash(asked), cursor) - 1;
  const [scan, index] = [Math.floor(position / MAX_FINDINGS), position % MAX_FINDINGS];
  const there = asked.searched.scans[scan];
  const key = there && (await readable(log, there.scanId, () => findings.urgency({ file: there.file, index })));
  if (key === undefined) throw new AppError('cursor_invalid', 'The cursor does not belong to this query.');
  return { scan, index, key };
}

/** What comes after it in one of the scans: of equal urgency, what an earlier scan has was shown before. */
export function afterIn(start: Placed | undefined, scan: number): Pick<SearchInput, 'after'> {
  if (start === undefined) return {};
  const { key } = start;
  if (scan === start.scan) return { after: { key, index: start.index } };
  return { after: { key, index: scan < start.scan ? MAX_FINDINGS : -1 } };
}

export interface PageOrder {
  readonly order: readonly Placed[];
  /** There are more than those. */
  readonly hasMore: boolean;
}

/** Keeps the first of what comes from many scans; one more than a page holds, to know whether there is another page. */
export function createPageOrder(most: number): {
  readonly limit: number;
  add(scan: number, first: readonly SearchPosition[]): void;
  first(): PageOrder;
} {
  const limit = most + 1;
  let kept: readonly Placed[] = [];
  return {
    limit,
    add(scan, first) {
      if (first.length === 0) return;
      const here = first.map(({ key, index }) => ({ scan, key, index }));
      kept = [...kept, ...here].toSorted(inOrder).slice(0, limit);
    },
    first: () => ({ order: kept.slice(0, most), hasMore: kept.length > most }),
  };
}

interface ShownPage {
  readonly findings: readonly ShownFinding[];
  /** The last one shown, when there are more. */
  readonly last?: Placed;
}

/** As many as fit; the first one is cut to do so. */
export async function showPage(
  deps: HitDeps,
  asked: Asked,
  { order, hasMore }: PageOrder,
  room: number,
): Promise<ShownPage> {
  const findings: ShownFinding[] = [];
  let left = pageWeight(room);
  let last: Placed | undefined;
  for (let from = 0; from < order.length; from += CHUNK) {
    const chunk = order.slice(from, from + CHUNK);
    const shown = await showChunk(deps, asked, chunk, room);
    for (const [at, one] of chunk.entries()) {
      const finding = shown[at];
      // Its file became unreadable meanwhile: the others still answer.
      if (finding === undefined) continue;
      left -= jsonWeight(finding);
      if (left < 0 && last !== undefined) return { findings, last };
      findings.push(finding);
      last = one;
    }
  }
  last ??= order.at(-1);
  return hasMore && last !== undefined ? { findings, last } : { findings };
}

/** Each by its file, back in their order. */
async function showChunk(
  { findings, log }: HitDeps,
  { searched, suppressions }: Asked,
  chunk: readonly Placed[],
  room: number,
): Promise<readonly (ShownFinding | undefined)[]> {
  const shown: (ShownFinding | undefined)[] = chunk.map(() => undefined);
  for (const at of new Set(chunk.map(({ scan }) => scan))) {
    const scan = searched.scans[at];
    if (scan === undefined) continue;
    const { scanId, file } = scan;
    const mine = [...chunk.entries()].filter(([, one]) => one.scan === at);
    const input = {
      ref: { file, scanId },
      suppressions,
      indices: mine.map(([, { index }]) => index),
      max_tokens: room,
    };
    const part = (await readable(log, scanId, () => findings.show(input))) ?? [];
    for (const [n, [to]] of mine.entries()) shown[to] = part[n];
  }
  return shown;
}
