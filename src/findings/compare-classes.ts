import { Change, Lack } from '../model/contract/compare.ts';
import { pairRepeats } from './compare-repeats.ts';
import { createDetails, hostOfRow, readProtocols } from './finding-details.ts';
import { EXPLOIT, KEV, NONE } from './layout.ts';
import { createLookProof, type HostProof, type LookProof, type ScanLook } from './look-proof.ts';
import { absentTest } from './marked-absent.ts';
import { matchPrints } from './match-prints.ts';
import type { OpenFindings } from './open-findings.ts';

export const CHANGES = Change.options;

/** Codes in `Classes`: 0 for findings that are shown in no class (their counterpart is), else place in CHANGES + 1. */
export const codeOf = (change: Change): number => CHANGES.indexOf(change) + 1;
/** In `Classes.lacks`, 0 for none. */
export const lackOfCode = (code: number): Lack | undefined => Lack.options[code - 1];
const codeOfLack = (lack: Lack | undefined): number => (lack === undefined ? 0 : Lack.options.indexOf(lack) + 1);
/** Has no CVE while the engines differ. */
export const NOT_COMPARABLE = CHANGES.length + 1;

/** Classes whose findings are shown as the earlier scan had them. */
export const isOfBase = (change: Change): boolean => change === 'fixed' || change === 'not_observed';

export interface CompareSide {
  readonly findings: OpenFindings;
  readonly look: ScanLook;
}

/** What became of each finding of both scans. */
export interface Classes {
  readonly head: Uint8Array;
  readonly base: Uint8Array;
  /** Index in base of each finding of head, or -1. */
  readonly match: Int32Array;
  /** For findings of head that are newly visible and of base that are not observed: code of what their proof lacks. */
  readonly lacks: Readonly<Record<'head' | 'base', Uint8Array>>;
}

/** While classes are being decided: the report itself marks the finding as gone, so that it is in no class. */
const GONE = 255;
const [NEW, NEWLY_VISIBLE, CHANGED, FIXED, NOT_OBSERVED, PERSISTING] = [1, 2, 3, 4, 5, 6];

/** Compares two scans of one engine by fingerprint. */
export function classify(head: CompareSide, base: CompareSide): Classes {
  const match = matchPrints(head.findings.prints(), base.findings.prints());
  const headClasses = new Uint8Array(head.findings.count);
  const isMatched = new Uint8Array(base.findings.count);
  const differ = createDiffer(head.findings, base.findings);
  const isGoneInBase = absentTest(base.findings);
  setAsideGone(match, headClasses, { head: absentTest(head.findings), base: isGoneInBase });
  matchRepeats(match, headClasses, { head: head.findings, base: base.findings }, isGoneInBase);
  for (const [index, counterpart] of match.entries()) {
    if (counterpart < 0) continue;
    isMatched[counterpart] = 1;
    headClasses[index] = differ(index, counterpart) ? CHANGED : PERSISTING;
  }
  const baseClasses = isMatched.map((matched, index) => (matched === 0 && !isGoneInBase(index) ? NOT_OBSERVED : 0));
  const lacks = {
    head: judge(base.look, head, headClasses, { alone: 0, proven: NEW, open: NEWLY_VISIBLE }),
    base: judge(head.look, base, baseClasses, { alone: NOT_OBSERVED, proven: FIXED, open: NOT_OBSERVED }),
  };
  for (const index of placesOf(headClasses, GONE)) headClasses[index] = 0;
  return { head: headClasses, base: baseClasses, match, lacks };
}

/** What a report lists as gone has no counterpart. */
function setAsideGone(
  match: Int32Array,
  headClasses: Uint8Array,
  isGone: Readonly<Record<'head' | 'base', (index: number) => boolean>>,
): void {
  for (const [index, counterpart] of match.entries()) {
    if (isGone.head(index)) headClasses[index] = GONE;
    if (headClasses[index] === GONE || (counterpart >= 0 && isGone.base(counterpart))) match[index] = -1;
  }
}

/** Also matches what has another fingerprint only because other findings like it came or went. */
function matchRepeats(
  match: Int32Array,
  headClasses: Uint8Array,
  { head, base }: Readonly<Record<'head' | 'base', OpenFindings>>,
  isGoneInBase: (index: number) => boolean,
): void {
  if (head.renamed().at.length + base.renamed().at.length === 0) return;
  const baseCodes = Uint8Array.from({ length: base.count }, (_, index) => (isGoneInBase(index) ? GONE : 0));
  for (const counterpart of match) if (counterpart >= 0) baseCodes[counterpart] = GONE;
  const headCodes = headClasses.map((code, index) => ((match[index] ?? -1) < 0 ? code : GONE));
  const left = {
    head: { findings: head, indices: placesOf(headCodes, 0) },
    base: { findings: base, indices: placesOf(baseCodes, 0) },
  };
  for (const [index, counterpart] of pairRepeats(left.head, left.base)) match[index] = counterpart;
}

/** Divides the findings of one class by whether `prover` is proven to have looked for them, and says what is lacking. */
function judge(
  prover: ScanLook,
  { findings, look }: CompareSide,
  classes: Uint8Array,
  codes: Readonly<Record<'alone' | 'proven' | 'open', number>>,
): Uint8Array {
  const lacks = new Uint8Array(classes.length);
  const alone = placesOf(classes, codes.alone);
  const proofs = proofsOf(createLookProof(prover, look), findings, alone);
  const details = createDetails(findings);
  const protocols = readProtocols(
    findings,
    alone.filter((index) => proofs[findings.host[index] ?? 0]?.lacks === undefined),
  );
  const lackOf = (index: number): Lack | undefined => {
    const proof = proofs[findings.host[index] ?? 0];
    if (proof === undefined) return 'host';
    if (proof.lacks !== undefined) return proof.lacks;
    return proof.lackOf({
      rule: details.rule(findings.rule[index] ?? 0),
      port: findings.port[index] ?? NONE,
      protocol: () => protocols.get(findings.body[index] ?? 0) ?? 'tcp',
      url: () => details.place(index).url,
    });
  };
  for (const index of alone) {
    const lack = lackOf(index);
    lacks[index] = codeOfLack(lack);
    classes[index] = lack === undefined ? codes.proven : codes.open;
  }
  return lacks;
}

/** Where a code stands, ascending. */
function placesOf(classes: Uint8Array, code: number): Uint32Array {
  const places = new Uint32Array(classes.length);
  let count = 0;
  for (let index = 0; index < classes.length; index += 1) {
    if (classes[index] !== code) continue;
    places[count] = index;
    count += 1;
  }
  return places.slice(0, count);
}

/** By host id, for the hosts of these findings; each host is judged once. */
function proofsOf(proof: LookProof, { db, host }: OpenFindings, indices: Uint32Array): readonly HostProof[] {
  const needed = new Set<number>();
  for (const index of indices) needed.add(host[index] ?? 0);
  const proofs: HostProof[] = [];
  if (needed.size === 0) return proofs;
  for (const row of db.prepare('SELECT id, label, name, address_key FROM host').iterate()) {
    const id = Number(row['id']);
    if (needed.has(id)) proofs[id] = proof.at(hostOfRow(row));
  }
  return proofs;
}

/** Whether a finding that is in both scans changed: severity, CVSS, KEV, exploit or fix. Columns decide nearly always. */
function createDiffer(head: OpenFindings, base: OpenFindings): (index: number, counterpart: number) => boolean {
  const [headDetails, baseDetails] = [createDetails(head), createDetails(base)];
  const [headFix, baseFix] = [solutionsOf(head), solutionsOf(base)];
  const isPackage = createPackageTest(head);
  return (index, counterpart) => {
    const [a, b] = [head.rule[index] ?? 0, base.rule[counterpart] ?? 0];
    const { severity, cvss, flags } = base.rules;
    if (head.rules.severity[a] !== severity[b] || head.rules.cvss[a] !== cvss[b] || head.rules.flags[a] !== flags[b]) {
      return true;
    }
    if (headFix(a) !== baseFix(b)) return true;
    if (!isPackage(index)) return false;
    return headDetails.place(index).fixed_version !== baseDetails.place(counterpart).fixed_version;
  };
}

/** Whether a rule says what to do about it. */
function solutionsOf({ db, rules }: OpenFindings): (ruleId: number) => boolean {
  const empty = new Set(
    db
      .prepare("SELECT id FROM solution WHERE text = ''")
      .all()
      .map((row) => row['id']),
  );
  return (ruleId) => !empty.has(rules.solution[ruleId] ?? 0);
}

/** Only what lies on no host of a network (a package of an image, a file) can name a fixed version. */
function createPackageTest({ db, host }: OpenFindings): (index: number) => boolean {
  const rows = db.prepare('SELECT id FROM host WHERE name IS NULL AND address_key IS NULL').all();
  const ids = new Set(rows.map(({ id }) => Number(id)));
  return (index) => ids.size > 0 && ids.has(host[index] ?? 0);
}

const yesNo = (flags: number, flag: number): string => ((flags & flag) === 0 ? 'no' : 'yes');
const score = (value: number | undefined): string => (value === undefined || value === NONE ? 'none' : String(value));

/** What changed, as `severity high -> critical`; from the later scan's finding and its counterpart in the earlier one. */
export function describeChange(head: OpenFindings, base: OpenFindings, index: number, counterpart: number): string[] {
  const [a, b] = [head.rule[index] ?? 0, base.rule[counterpart] ?? 0];
  const [headDetails, baseDetails] = [createDetails(head), createDetails(base)];
  const [flagsA, flagsB] = [head.rules.flags[a] ?? 0, base.rules.flags[b] ?? 0];
  const fix = (has: boolean): string => (has ? 'available' : 'none');
  const facts: readonly (readonly [string, string, string])[] = [
    ['severity', baseDetails.rule(b).severity, headDetails.rule(a).severity],
    ['cvss', score(base.rules.cvss[b]), score(head.rules.cvss[a])],
    ['kev', yesNo(flagsB, KEV), yesNo(flagsA, KEV)],
    ['exploit', yesNo(flagsB, EXPLOIT), yesNo(flagsA, EXPLOIT)],
    ['fix', fix(solutionsOf(base)(b)), fix(solutionsOf(head)(a))],
    [
      'fixed_version',
      baseDetails.place(counterpart).fixed_version ?? 'none',
      headDetails.place(index).fixed_version ?? 'none',
    ],
  ];
  return facts.flatMap(([what, before, after]) => (before === after ? [] : [`${what} ${before} -> ${after}`]));
}
