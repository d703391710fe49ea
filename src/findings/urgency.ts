import { EXPLOIT, KEV, NONE } from './layout.ts';
import type { RuleColumns } from './open-findings.ts';
import { createStableOrder } from './stable-order.ts';
import type { StableOrder } from './stable-order.ts';

/** From this EPSS on (10 % within 30 days), exploitation counts as likely. Source: FIRST, EPSS user guide. */
const LIKELY_EPSS = 0.1;
const INFO = 4;

/** What urgency is made of; all of it belongs to the rule. */
export type Urgent = Pick<RuleColumns, 'count' | 'severity' | 'flags' | 'cvss' | 'epss'>;

/**
 * KEV, level and likely exploitation of one rule as one number, most urgent first. The level is the severity, one step
 * up when exploitation is likely; `info` is never raised.
 * @param severity 0 critical .. 4 info
 */
export function urgencyClass(severity: number, flags: number, epss: number): number {
  const isKev = (flags & KEV) !== 0;
  const isLikely = isKev || (flags & EXPLOIT) !== 0 || epss >= LIKELY_EPSS;
  const level = severity + 1 - (isLikely && severity < INFO ? 1 : 0);
  return (isKev ? 0 : 64) + level * 2 + (isLikely ? 0 : 1);
}

/** Quarter `part` of the bits of a score (3 is the highest), so that a higher score comes first and none comes last. */
function scoreDigits(scores: Float64Array, part: 0 | 1 | 2 | 3, into: Uint16Array): void {
  const quarters = new Uint16Array(scores.buffer, scores.byteOffset, scores.length * 4);
  // Bits of doubles that are not negative sort like the doubles; up to 10.0 the highest quarter is below 0x7fff.
  const top = part === 3 ? 0x7fff : 0xffff;
  const none = part === 3 ? 0xffff : 0;
  for (let rule = 0; rule < scores.length; rule += 1) {
    into[rule] = scores[rule] === NONE ? none : top - (quarters[rule * 4 + part] ?? 0);
  }
}

function sortByScore(order: StableOrder, scores: Float64Array, digits: Uint16Array): void {
  for (const part of [0, 1, 2, 3] as const) {
    scoreDigits(scores, part, digits);
    order.sortBy(digits);
  }
}

/**
 * The place of every rule in the urgency order: KEV, then level, likely exploitation, EPSS, CVSS, severity. Rules that
 * are equal in all of it have the same rank. A missing EPSS or CVSS sorts last within its level only: a critical
 * misconfiguration, which never has an EPSS, stays above every high finding without an exploit. See docs/findings.md.
 * @param turn Lets other work of the process have its turn.
 */
export async function rankRules(rules: Urgent, turn: () => Promise<void>): Promise<Uint32Array> {
  const { count, severity, flags, cvss, epss } = rules;
  const order = createStableOrder(count);
  const digits = Uint16Array.from(severity);
  order.sortBy(digits);
  await turn();
  sortByScore(order, cvss, digits);
  await turn();
  sortByScore(order, epss, digits);
  await turn();
  const classes = digits.map((_, rule) => urgencyClass(severity[rule] ?? INFO, flags[rule] ?? 0, epss[rule] ?? NONE));
  order.sortBy(classes);
  const isEqual = (a: number, b: number): boolean =>
    classes[a] === classes[b] && epss[a] === epss[b] && cvss[a] === cvss[b] && severity[a] === severity[b];
  const ranks = new Uint32Array(count);
  const items = order.items();
  let rank = 0;
  for (let position = 1; position < count; position += 1) {
    const [before = 0, item = 0] = [items[position - 1], items[position]];
    if (!isEqual(before, item)) rank += 1;
    ranks[item] = rank;
  }
  return ranks;
}
