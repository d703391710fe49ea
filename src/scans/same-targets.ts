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

/** Parsed targets kept while many scans are compared with one. */
const MOST_KEPT = 50_000;

/**
 * Says of the targets of other scans how they relate to `wanted`. `same`: equal sets of canonical targets. `covers`: each
 * target of `wanted` lies within one of theirs. Made once for many scans: most of them name the same targets.
 */
export function createRelation(wanted: readonly string[]): (there: readonly string[]) => Relation {
  const own = new Set(wanted);
  const kept = new Map<string, Target | undefined>();
  const known = (text: string): Target | undefined => {
    if (kept.has(text)) return kept.get(text);
    const target = read(text);
    if (kept.size < MOST_KEPT) kept.set(text, target);
    return target;
  };
  return (there) => {
    const others = new Set(there);
    if (others.size === own.size && wanted.every((text) => others.has(text))) return 'same';
    const isCovered = (text: string): boolean => {
      if (others.has(text)) return true;
      const target = known(text);
      return target !== undefined && there.some((other) => holdsText(known(other), target));
    };
    return wanted.every(isCovered) ? 'covers' : 'other';
  };
}

const holdsText = (outer: Target | undefined, inner: Target): boolean => outer !== undefined && holds(outer, inner);

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
