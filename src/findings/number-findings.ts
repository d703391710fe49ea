import { PRINT_BYTES } from './layout.ts';
import type { RepeatedFindings } from './repeated-findings.ts';
import { createStableOrder, sortWithinEqual } from './stable-order.ts';

/** Findings by their number in the report. */
export interface Unnumbered {
  readonly count: number;
  readonly rule: Uint32Array;
  /** `PRINT_BYTES` each; those of repeated findings are replaced. */
  readonly prints: Uint8Array;
  /** Place of each rule in the urgency order. */
  readonly ruleRanks: Uint32Array;
  readonly repeated: RepeatedFindings;
}

export interface Numbering {
  /** Findings in the order they are numbered. */
  readonly order: Uint32Array;
  /** Findings that got a fingerprint of their own, with the plain one of each. */
  readonly renamed: { readonly findings: Uint32Array; readonly plain: Uint8Array };
}

type Turn = () => Promise<void>;

/** Rows between two turns. */
const SLICE = 1_000;

/**
 * Gives repeated findings fingerprints of their own and says in which order all are numbered: by urgency of their rules,
 * then by fingerprint. Both depend on what the findings say, never on the order of the report.
 * @param turn Lets other work of the process have its turn.
 */
export async function numberFindings(findings: Unnumbered, turn: Turn): Promise<Numbering> {
  const { count, rule, prints, ruleRanks } = findings;
  const bytes = Buffer.from(prints.buffer, prints.byteOffset, prints.byteLength);
  const at = (finding: number): number => finding * PRINT_BYTES;
  const headOf = (finding: number): number => bytes.readUInt32BE(at(finding));
  const rankOf = (finding: number): number => ruleRanks[rule[finding] ?? 0] ?? 0;
  const compare = (a: number, b: number): number =>
    headOf(a) - headOf(b) || bytes.compare(bytes, at(b), at(b) + PRINT_BYTES, at(a), at(a) + PRINT_BYTES);

  const digits = new Uint16Array(count);
  const order = createStableOrder(count);
  const sortBy = async (digitOf: (finding: number) => number): Promise<void> => {
    for (let finding = 0; finding < count; finding += 1) digits[finding] = digitOf(finding);
    order.sortBy(digits);
    await turn();
  };
  const sortByPrint = async (): Promise<void> => {
    await sortBy((finding) => bytes.readUInt16BE(at(finding) + 2));
    await sortBy((finding) => bytes.readUInt16BE(at(finding)));
  };

  await sortByPrint();
  const byPrint = order.items();
  sortWithinEqual(byPrint, (a, b) => headOf(a) === headOf(b), compare);
  await turn();
  const renamed = await tellApart(byPrint, compare, findings.repeated, bytes, turn);
  if (renamed.findings.length > 0) await sortByPrint();
  await sortBy((finding) => rankOf(finding) & 0xffff);
  await sortBy((finding) => rankOf(finding) >>> 16);
  const items = order.items();
  sortWithinEqual(items, (a, b) => rankOf(a) === rankOf(b) && headOf(a) === headOf(b), compare);
  return { order: items, renamed };
}

async function tellApart(
  byPrint: Uint32Array,
  compare: (a: number, b: number) => number,
  repeated: RepeatedFindings,
  prints: Buffer,
  turn: Turn,
): Promise<Numbering['renamed']> {
  let added = 0;
  const add = async (group: number, finding: number): Promise<void> => {
    repeated.add(group, finding);
    added += 1;
    if (added % SLICE === 0) await turn();
  };
  for (let start = 0, end = 1; start < byPrint.length; start = end, end += 1) {
    while (end < byPrint.length && compare(byPrint[start] ?? 0, byPrint[end] ?? 0) === 0) end += 1;
    if (end - start === 1) continue;
    for (const finding of byPrint.subarray(start, end)) await add(start, finding);
  }
  const findings = new Uint32Array(added);
  const plain = new Uint8Array(added * PRINT_BYTES);
  let [seen, renamed] = [0, 0];
  for (const [finding, print] of repeated.toldApart()) {
    const at = finding * PRINT_BYTES;
    const before = prints.subarray(at, at + PRINT_BYTES);
    // One of those that are the same in everything keeps the plain one.
    if (!print.equals(before)) {
      findings[renamed] = finding;
      plain.set(before, renamed * PRINT_BYTES);
      renamed += 1;
      print.copy(prints, at);
    }
    seen += 1;
    if (seen % SLICE === 0) await turn();
  }
  return { findings: findings.subarray(0, renamed), plain: plain.subarray(0, renamed * PRINT_BYTES) };
}
