import type { Coverage } from '../model/coverage.ts';
import { estimateTokens } from '../findings/tokens.ts';

/** Whatever stands around them, so much is for findings: each page shows at least one, cut to fit. */
const LEAST_ROOM = 120;
/** For what is only known once the page is there: its cursor, longer sentences and counts. */
const UNKNOWN_TOKENS = 80;

export const tokensIn = (value: unknown): number => estimateTokens(JSON.stringify(value));

/** Tokens that `max_tokens` leaves for findings beside the rest of an answer of so many tokens. */
export const roomBeside = (maxTokens: number, frameTokens: number): number =>
  Math.max(maxTokens - frameTokens - UNKNOWN_TOKENS, LEAST_ROOM);

/** The first entries that fit into so many tokens. */
export function fitting<T>(entries: readonly T[], maxTokens: number): T[] {
  let left = maxTokens;
  const end = entries.findIndex((entry) => {
    left -= tokensIn(entry) + 1;
    return left < 0;
  });
  return entries.slice(0, end < 0 ? entries.length : end);
}

/** Longer lists than this are given once, on the first page. */
const SHORT_LISTS = 40;

/** Coverage with its lists in so many tokens; what is left out is counted in a last entry. The numbers stay. */
export function fittingCoverage(coverage: Coverage, maxTokens: number): Coverage {
  const most = Math.max(maxTokens, SHORT_LISTS);
  const { looked_for: ran, not_looked_for: missed } = coverage;
  // What was not looked for matters more: it gets what it needs up to two thirds.
  const ofMissed = cutList(missed, Math.floor((most * 2) / 3));
  return { ...coverage, looked_for: cutList(ran, Math.max(most - tokensIn(ofMissed), 0)), not_looked_for: ofMissed };
}

function cutList(list: readonly string[], maxTokens: number): string[] {
  const shown = fitting(list, maxTokens);
  return shown.length === list.length ? shown : [...shown, `... and ${list.length - shown.length} more`];
}
