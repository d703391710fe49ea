import {
  codeOf,
  CHANGES,
  describeChange,
  isOfBase,
  lackOfCode,
  NOT_COMPARABLE,
  type Classes,
} from './compare-classes.ts';
import { Lack, type Change } from '../model/contract/compare.ts';
import type { ChangeCounts, ComparisonPage, LackCounts } from './comparison.ts';
import type { ShownFinding } from './findings.ts';
import type { OpenFindings } from './open-findings.ts';
import { shrinkToTokens } from './shrink.ts';
import { jsonWeight, pageWeight, tokensOf } from './tokens.ts';

/** What of one file matches the filters. */
export interface Selected {
  /** Places in the columns, ascending: with suppressed ones. */
  readonly matches: Uint32Array;
  /** 1 for each finding that is suppressed; absent when none is. */
  readonly suppressed: Uint8Array | undefined;
  /** Suppressed ones were asked for. */
  readonly includesSuppressed: boolean;
}

export interface ComparedFile {
  readonly findings: OpenFindings;
  readonly selected: Selected;
  readonly show: (index: number) => ShownFinding;
}

export interface Compared {
  readonly head: ComparedFile;
  readonly base: ComparedFile;
  readonly classes: Classes;
}

/** Where a page begins: the first finding of a class that was not shown yet. */
export interface Position {
  readonly change: Change;
  readonly index: number;
}

export const START: Position = { change: 'new', index: 0 };

export interface ChangePage extends Pick<ComparisonPage, 'counts' | 'lacks' | 'suppressed' | 'findings'> {
  readonly notComparable: { readonly head: number; readonly base: number };
  /** Absent on the last page. */
  readonly next?: Position;
}

interface Tally {
  readonly byCode: readonly number[];
  readonly lacks: LackCounts;
  readonly suppressed: number;
}

function tally(codes: Uint8Array, lacks: Uint8Array, { matches, suppressed, includesSuppressed }: Selected): Tally {
  const byCode = Array.from({ length: NOT_COMPARABLE + 1 }, () => 0);
  const byLack = Lack.options.map(() => 0);
  let left = 0;
  for (const index of matches) {
    const code = codes[index] ?? 0;
    if (code === 0) continue;
    const isSuppressed = suppressed?.[index] === 1;
    if (isSuppressed) left += 1;
    if (isSuppressed && !includesSuppressed) continue;
    byCode[code] = (byCode[code] ?? 0) + 1;
    const lack = lacks[index] ?? 0;
    if (lack > 0) byLack[lack - 1] = (byLack[lack - 1] ?? 0) + 1;
  }
  const counted = Lack.options.map((lack, at) => [lack, byLack[at] ?? 0] as const).filter(([, count]) => count > 0);
  return { byCode, lacks: Object.fromEntries(counted), suppressed: left };
}

/** One page of what changed: exact counts of all classes, and findings from `start` until the budget is spent. */
export function pageOfChanges(compared: Compared, start: Position, maxTokens: number): ChangePage {
  const { head, base, classes } = compared;
  const ofHead = tally(classes.head, classes.lacks.head, head.selected);
  const ofBase = tally(classes.base, classes.lacks.base, base.selected);
  const count = (change: Change): number => (isOfBase(change) ? ofBase : ofHead).byCode[codeOf(change)] ?? 0;
  const { findings, next } = shownFrom(compared, start, maxTokens);
  return {
    counts: countsOf(count),
    lacks: { newly_visible: ofHead.lacks, not_observed: ofBase.lacks },
    suppressed: ofHead.suppressed + ofBase.suppressed,
    notComparable: { head: ofHead.byCode[NOT_COMPARABLE] ?? 0, base: ofBase.byCode[NOT_COMPARABLE] ?? 0 },
    findings,
    ...(next === undefined ? {} : { next }),
  };
}

const countsOf = (count: (change: Change) => number): ChangeCounts => ({
  new: count('new'),
  newly_visible: count('newly_visible'),
  fixed: count('fixed'),
  persisting: count('persisting'),
  changed: count('changed'),
  not_observed: count('not_observed'),
});

function shownFrom(compared: Compared, start: Position, maxTokens: number) {
  const findings: ShownFinding[] = [];
  let left = pageWeight(maxTokens);
  for (const position of positionsFrom(compared, start)) {
    const change = changeShown(compared, position);
    const finding = (isOfBase(position.change) ? compared.base : compared.head).show(position.index);
    // What became of it is never cut: only the finding gives way.
    const room = maxTokens - tokensOf(jsonWeight(change));
    const fitting = { ...change, ...(findings.length === 0 ? shrinkToTokens(finding, room) : finding) };
    left -= jsonWeight(fitting);
    if (left < 0 && findings.length > 0) return { findings, next: position };
    findings.push(fitting);
  }
  return { findings, next: undefined };
}

/** Every selected finding from `start` on: class by class, in each by urgency, which is the order of the files. */
function* positionsFrom({ head, base, classes }: Compared, start: Position): Generator<Position> {
  for (const change of CHANGES.slice(CHANGES.indexOf(start.change))) {
    const [codes, { selected }] = isOfBase(change) ? [classes.base, base] : [classes.head, head];
    const { matches, suppressed, includesSuppressed } = selected;
    const code = codeOf(change);
    const first = change === start.change ? start.index : 0;
    for (const index of matches) {
      if (index < first || codes[index] !== code) continue;
      if (includesSuppressed || suppressed?.[index] !== 1) yield { change, index };
    }
  }
}

function changeShown({ head, base, classes }: Compared, { change, index }: Position): ShownFinding {
  if (change === 'changed') {
    const counterpart = classes.match[index] ?? -1;
    return { change, changed: describeChange(head.findings, base.findings, index, counterpart) };
  }
  const why = lackOfCode((isOfBase(change) ? classes.lacks.base : classes.lacks.head)[index] ?? 0);
  return why === undefined ? { change } : { change, why };
}
