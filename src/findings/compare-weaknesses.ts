import { codeOf, NOT_COMPARABLE, type Classes } from './compare-classes.ts';
import { createDetails } from './finding-details.ts';
import type { OpenFindings } from './open-findings.ts';

/** Numbers for texts and pairs that both scans share; equal ones get the same number. */
type Numbering<T> = (key: T) => number;

function numbering<T>(): Numbering<T> {
  const known = new Map<T, number>();
  return (key) => {
    const found = known.get(key) ?? known.size;
    if (found === known.size) known.set(key, found);
    return found;
  };
}

interface Shared {
  readonly cve: Numbering<string>;
  readonly label: Numbering<string>;
  readonly package: Numbering<string>;
  /** Host and port, or host and package, as one number. */
  readonly place: Numbering<number>;
}

/** Ports and packages share one range of numbers. */
const PORTS = 65_536;
const MAX_PARTS = 2 ** 31;
/** More CVEs than were ever assigned. */
const MAX_CVES = 2 ** 22;

/** One pair of a CVE and a place, as one number, and the finding it belongs to. */
interface Weaknesses {
  readonly keys: Float64Array;
  readonly owners: Uint32Array;
}

/**
 * Compares scans of two engines: the same CVE at the same host and port (or package) is one weakness. One engine proves
 * nothing about what another would have found, so that nothing is ever `fixed` or `new`, and findings without a CVE have
 * no counterpart.
 */
export function classifyWeaknesses(head: OpenFindings, base: OpenFindings): Classes {
  const shared: Shared = { cve: numbering(), label: numbering(), package: numbering(), place: numbering() };
  const [ofHead, ofBase] = [weaknessesOf(head, shared), weaknessesOf(base, shared)];
  return {
    head: classesOf(head.count, ofHead, ofBase, { both: codeOf('persisting'), alone: codeOf('newly_visible') }),
    base: classesOf(base.count, ofBase, ofHead, { both: 0, alone: codeOf('not_observed') }),
    match: new Int32Array(head.count).fill(-1),
    lacks: { head: new Uint8Array(head.count), base: new Uint8Array(base.count) },
  };
}

function weaknessesOf(findings: OpenFindings, shared: Shared): Weaknesses {
  const cves = cvesByRule(findings, shared);
  const placeOf = createPlaceNumbers(findings, shared);
  const rules = findings.rule;
  let count = 0;
  for (const rule of rules) count += cves.get(rule)?.length ?? 0;
  const keys = new Float64Array(count);
  const owners = new Uint32Array(count);
  let at = 0;
  for (const [index, rule] of rules.entries()) {
    const of = cves.get(rule);
    if (!of) continue;
    const place = placeOf(index);
    for (const cve of of) {
      keys[at] = place * MAX_CVES + cve;
      owners[at] = index;
      at += 1;
    }
  }
  return { keys, owners };
}

function cvesByRule({ db }: OpenFindings, { cve }: Shared): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const row of db.prepare('SELECT cve, rule FROM rule_cve').iterate()) {
    const rule = Number(row['rule']);
    const known = found.get(rule);
    const number = cve(String(row['cve']));
    if (known) known.push(number);
    else found.set(rule, [number]);
  }
  return found;
}

function createPlaceNumbers(findings: OpenFindings, shared: Shared): (index: number) => number {
  const details = createDetails(findings);
  const labels = new Map<number, number>();
  const labelOf = (hostId: number): number => {
    const known = labels.get(hostId) ?? shared.label(details.host(hostId).label);
    labels.set(hostId, known);
    return known;
  };
  return (index) => {
    const port = findings.port[index] ?? 0;
    const part = port > 0 ? port : PORTS + shared.package(details.place(index).package ?? '');
    return shared.place(labelOf(findings.host[index] ?? 0) * MAX_PARTS + part);
  };
}

function classesOf(
  count: number,
  { keys, owners }: Weaknesses,
  other: Weaknesses,
  { both, alone }: { readonly both: number; readonly alone: number },
): Uint8Array {
  const classes = new Uint8Array(count).fill(NOT_COMPARABLE);
  const isShared = new Uint8Array(count);
  const sorted = Float64Array.from(other.keys).sort();
  for (const [at, key] of keys.entries()) {
    const owner = owners[at] ?? 0;
    if (has(sorted, key)) isShared[owner] = 1;
    classes[owner] = isShared[owner] === 1 ? both : alone;
  }
  return classes;
}

/** Binary search in ascending numbers. */
function has(sorted: Float64Array, key: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < key) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === key;
}
