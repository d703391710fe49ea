import type { ScanRecord } from '../model/scan.ts';
import type { Target } from '../model/target.ts';
import { parseTarget } from '../policy/target.ts';
import { rangeOfTarget } from '../policy/target.ts';

/** How the targets of an earlier scan relate to those of a later one, the better the smaller. */
export type Relation = 'same' | 'covers' | 'other';

/** Targets of imported reports may be names of images and files, which are no targets of a run. */
function read(text: string): Target | undefined {
  try {
    return parseTarget(text);
  } catch {
    return undefined;
  }
}

/** `same`: equal sets of canonical targets. `covers`: each target of `wanted` lies within one of `there`. */
export function relationOf(there: readonly string[], wanted: readonly string[]): Relation {
  const [a, b] = [new Set(there), new Set(wanted)];
  if (a.size === b.size && [...b].every((text) => a.has(text))) return 'same';
  const targets = there.flatMap((text) => read(text) ?? []);
  const isCovered = (text: string): boolean => {
    if (a.has(text)) return true;
    const target = read(text);
    return target !== undefined && targets.some((other) => holds(other, target));
  };
  return wanted.every(isCovered) ? 'covers' : 'other';
}

const portOf = (target: Target): number | undefined => ('port' in target ? target.port : undefined);
const hostOf = (target: Target): string | undefined => ('host' in target ? target.host : undefined);

/** Whether a scan of `outer` was asked for `inner` as well. A URL holds only itself: others of its host are other pages. */
function holds(outer: Target, inner: Target): boolean {
  if (outer.kind === 'url') return outer.text === inner.text;
  const port = portOf(outer);
  if (port !== undefined && port !== portOf(inner)) return false;
  const [range, within] = [rangeOfTarget(outer), rangeOfTarget(inner)];
  if (range && within) {
    return range.family === within.family && range.first <= within.first && within.last <= range.last;
  }
  return hostOf(outer) !== undefined && hostOf(outer) === hostOf(inner);
}

/** When what a scan says of its targets began to hold. Epoch milliseconds. */
export const beganAt = ({ startedAt, createdAt }: ScanRecord): number => startedAt ?? createdAt;
