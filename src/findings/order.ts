import { lastMade } from './kept.ts';
import type { Sort } from './findings.ts';
import type { OpenFindings } from './open-findings.ts';

/** The order of a sort: first by a rank that the rule or the host of a finding gives it, then by urgency. */
export interface Order {
  /** Ascending; 0 comes first. */
  rankAt(index: number): number;
  /** Ranks are below this. */
  readonly ranks: number;
}

const kept = lastMade<Order>(5);

/** Undefined for the order the columns are in, which is also that of the members of groups by `count`. */
export function orderOf(file: OpenFindings, sort: Sort): Order | undefined {
  return sort === 'urgency' || sort === 'count' ? undefined : kept(file, sort, () => makeOrder(file, sort));
}

function makeOrder({ rule, host, rules }: OpenFindings, sort: Exclude<Sort, 'urgency' | 'count'>): Order {
  switch (sort) {
    case 'severity':
      return byRule(rule, rules.severity, 5);
    case 'cvss':
    case 'epss': {
      const { ranks, count } = ranksOf(rules[sort]);
      return byRule(rule, ranks, count);
    }
    case 'host': {
      // Hosts are numbered in their order.
      let last = -1;
      for (const id of host) if (id > last) last = id;
      return { rankAt: (index) => host[index] ?? 0, ranks: last + 1 };
    }
  }
}

const byRule = (rule: Uint32Array, ranks: Uint8Array | Uint32Array, count: number): Order => ({
  rankAt: (index) => ranks[rule[index] ?? 0] ?? 0,
  ranks: count,
});

/** Highest score first, what has none (-1) last. */
function ranksOf(scores: Float64Array): { ranks: Uint32Array; count: number } {
  const different = [...new Set(scores)].toSorted((a, b) => b - a);
  const rankOf = new Map(different.map((score, rank) => [score, rank]));
  return { ranks: Uint32Array.from(scores, (score) => rankOf.get(score) ?? 0), count: different.length };
}

/** Matches in another order: counted by rank, then placed, so that nothing is compared. `matches` are ascending. */
export function inOrder(matches: Uint32Array, order: Order): Uint32Array {
  const next = new Uint32Array(order.ranks + 1);
  for (const index of matches) {
    const rank = order.rankAt(index) + 1;
    next[rank] = (next[rank] ?? 0) + 1;
  }
  for (let rank = 1; rank < next.length; rank += 1) next[rank] = (next[rank] ?? 0) + (next[rank - 1] ?? 0);
  const ordered = new Uint32Array(matches.length);
  for (const index of matches) {
    const rank = order.rankAt(index);
    const at = next[rank] ?? 0;
    ordered[at] = index;
    next[rank] = at + 1;
  }
  return ordered;
}

const lastOrdered = new WeakMap<Uint32Array, { readonly sort: Sort; readonly ordered: Uint32Array }>();

/** Matches as a sort wants them; kept as long as the matches, for the next page. */
export function orderedMatches(file: OpenFindings, matches: Uint32Array, sort: Sort): Uint32Array {
  const order = orderOf(file, sort);
  if (!order) return matches;
  const known = lastOrdered.get(matches);
  if (known?.sort === sort) return known.ordered;
  const ordered = inOrder(matches, order);
  lastOrdered.set(matches, { sort, ordered });
  return ordered;
}

/** How many of the ordered matches come before a place in the columns or are it. */
export function countUpTo(ordered: Uint32Array, index: number, order: Order | undefined): number {
  const rank = order?.rankAt(index) ?? 0;
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = ordered[middle] ?? 0;
    const difference = (order?.rankAt(other) ?? 0) - rank;
    if (difference < 0 || (difference === 0 && other <= index)) low = middle + 1;
    else high = middle;
  }
  return low;
}
