import { crc32 } from 'node:zlib';
import { PRINT_BYTES } from './layout.ts';
import { firstEqualPrints } from './match-prints.ts';
import type { OpenFindings } from './open-findings.ts';
import { traitsOf } from './repeated-findings.ts';

/** Findings of one scan that have no counterpart by fingerprint: places in the columns, ascending. */
export interface Unmatched {
  readonly findings: OpenFindings;
  readonly indices: Uint32Array;
}

/** Findings whose words are read to see which of several is which. Of more, only how many went or came is known. */
const MOST_READ = 100_000;

const BOTH = 3;

/**
 * Pairs of what is left of findings that a report repeats: a fingerprint says how a finding differs from the others of
 * its report, so it changes when those go, while the weakness and its place (the plain fingerprint) are the same. Of
 * each such group as many are paired as both scans have, those first that say the same: only the rest came or went.
 */
export function* pairRepeats(head: Unmatched, base: Unmatched): IterableIterator<readonly [number, number]> {
  const read = createTraitReader();
  for (const [ofHead, ofBase] of groupsOf(head, base)) {
    const isSure = ofHead.length === 1 && ofBase.length === 1;
    if (isSure || !read.hasRoomFor(ofHead.length + ofBase.length)) yield* inOrder(ofHead, ofBase);
    else yield* alikeFirst(read.traits(head.findings, ofHead), read.traits(base.findings, ofBase));
  }
}

/** Findings of both scans that share a plain fingerprint. */
function* groupsOf(head: Unmatched, base: Unmatched): IterableIterator<readonly [number[], number[]]> {
  const headCount = head.indices.length;
  const plain = new Uint8Array((headCount + base.indices.length) * PRINT_BYTES);
  copyPlain(head, plain);
  copyPlain(base, plain.subarray(headCount * PRINT_BYTES));
  const groups = firstEqualPrints(plain);
  const sides = new Uint8Array(groups.length);
  groups.forEach((group, item) => {
    sides[group] = (sides[group] ?? 0) | (item < headCount ? 1 : 2);
  });
  // Group and item in one number, so that items of a group stand side by side once sorted.
  const shared = Float64Array.from(
    Array.from(groups.keys()).filter((item) => sides[groups[item] ?? 0] === BOTH),
    (item) => (groups[item] ?? 0) * groups.length + item,
  ).sort();
  let [group, ofHead, ofBase]: [number, number[], number[]] = [-1, [], []];
  for (const entry of shared) {
    const item = entry % groups.length;
    if (groups[item] !== group) {
      if (group >= 0) yield [ofHead, ofBase];
      [group, ofHead, ofBase] = [groups[item] ?? 0, [], []];
    }
    if (item < headCount) ofHead.push(head.indices[item] ?? 0);
    else ofBase.push(base.indices[item - headCount] ?? 0);
  }
  if (group >= 0) yield [ofHead, ofBase];
}

function copyPlain({ findings, indices }: Unmatched, to: Uint8Array): void {
  const own = findings.prints();
  const { at, plain } = findings.renamed();
  let entry = 0;
  indices.forEach((index, item) => {
    while ((at[entry] ?? Infinity) < index) entry += 1;
    const [from, place] = at[entry] === index ? [plain, entry] : [own, index];
    to.set(from.subarray(place * PRINT_BYTES, (place + 1) * PRINT_BYTES), item * PRINT_BYTES);
  });
}

function* inOrder(ofHead: readonly number[], ofBase: readonly number[]): IterableIterator<readonly [number, number]> {
  for (const [place, index] of ofHead.entries()) {
    const counterpart = ofBase[place];
    if (counterpart === undefined) return;
    yield [index, counterpart];
  }
}

interface WithTraits {
  readonly index: number;
  /** Checksums of its first trait, its first two, and so on. */
  readonly sums: readonly number[];
}

function createTraitReader() {
  let left = MOST_READ;
  return {
    hasRoomFor: (findings: number): boolean => (left -= findings) >= 0,
    traits({ db, rule, body }: OpenFindings, indices: readonly number[]): WithTraits[] {
      const readRule = db.prepare('SELECT json FROM rule WHERE id = ?');
      const readBody = db.prepare('SELECT json FROM body WHERE id = ?');
      return indices.map((index) => {
        const [about, own] = [readRule.get(rule[index] ?? 0), readBody.get(body[index] ?? 0)];
        let sum = 0;
        const traits = traitsOf(String(own?.['json']), String(about?.['json']));
        return { index, sums: traits.map((trait) => (sum = crc32(`${trait}\0`, sum))) };
      });
    },
  };
}

/** Those that agree in all their traits, then in all but the last, and so on. */
function* alikeFirst(
  ofHead: readonly WithTraits[],
  ofBase: readonly WithTraits[],
): IterableIterator<readonly [number, number]> {
  let [heads, bases] = [ofHead, ofBase];
  for (let last = (ofHead[0]?.sums.length ?? 0) - 1; last >= 0; last -= 1) {
    const bySum = new Map<number, WithTraits[]>();
    // Backwards, because they are taken from the end.
    for (const one of bases.toReversed()) {
      const alike = bySum.get(one.sums[last] ?? 0);
      if (alike) alike.push(one);
      else bySum.set(one.sums[last] ?? 0, [one]);
    }
    const paired = new Set<WithTraits>();
    for (const one of heads) {
      const counterpart = bySum.get(one.sums[last] ?? 0)?.pop();
      if (!counterpart) continue;
      paired.add(one).add(counterpart);
      yield [one.index, counterpart.index];
    }
    heads = heads.filter((one) => !paired.has(one));
    bases = bases.filter((one) => !paired.has(one));
  }
  yield* inOrder(
    heads.map(({ index }) => index),
    bases.map(({ index }) => index),
  );
}
