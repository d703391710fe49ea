import { crc32 } from 'node:zlib';
import { noSeverities, SEVERITIES } from '../model/finding.ts';
import type { BySeverity } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import type { UnnumberedRows } from './finding-rows.ts';
import { sortedHosts } from './host-book.ts';
import { FINDING_COLUMNS, PRINT_BYTES, RENAMED_COLUMNS, RULE_COLUMNS } from './layout.ts';
import { numberFindings } from './number-findings.ts';
import type { Numbering } from './number-findings.ts';
import type { RuleColumns } from './open-findings.ts';
import type { PlaceLedger } from './place-ledger.ts';
import { createRepeatedFindings } from './repeated-findings.ts';
import type { Turns } from './turns.ts';
import { rankRules } from './urgency.ts';

export interface ReportRows {
  readonly rows: UnnumberedRows;
  readonly rules: RuleColumns;
  /** Hears of the hosts that findings speak of. */
  readonly places: Pick<PlaceLedger, 'noteFoundAt'>;
}

type Files = Readonly<Record<'db' | 'staging', Database>>;

/** Numbers hosts and findings and writes everything findings are filtered and sorted by. Returns how many there are. */
export async function writeColumns(files: Files, report: ReportRows, turns: Turns): Promise<BySeverity> {
  const { rows, rules, places } = report;
  const numberOfHost = await writeHosts(files, { places, most: rows.count }, turns);
  const { order, renamed } = await numberFindings(
    {
      ...rows,
      ruleRanks: await rankRules(rules, turns.now),
      repeated: createRepeatedFindings(files, (finding) => rows.rule[finding] ?? 0, rows.prints),
    },
    turns.now,
  );
  const insert = files.db.prepare('INSERT INTO columns VALUES (?, ?, ?)');
  const put = async (name: string, column: Uint8Array | Uint32Array | Int32Array | Float64Array): Promise<void> => {
    const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
    insert.run(name, bytes, crc32(bytes));
    await turns.now();
  };
  // All in one place, one after the other: columns of a large report would wait for the collector by the megabyte.
  const column = new Uint32Array(order.length);
  const finding = {
    rule: () => inOrder((row) => rows.rule[row] ?? 0, order, column),
    host: () => inOrder((row) => numberOfHost[rows.host[row] ?? 0] ?? 0, order, column),
    body: () => order,
    port: () => inOrder((row) => rows.port[row] ?? 0, order, new Int32Array(column.buffer)),
    print: () => arrangePrints(rows.prints, order),
  };
  for (const name of FINDING_COLUMNS) await put(name, finding[name]());
  if (renamed.findings.length > 0) {
    const columns = renamedInOrder(renamed, order);
    for (const name of RENAMED_COLUMNS) await put(name, columns[name]);
  }
  for (const name of RULE_COLUMNS) await put(name, rules[name]);
  return countBySeverity(rows.rule, rules.severity);
}

/** Returns the number of each host by the number the host book gave it. */
async function writeHosts(
  { db, staging }: Files,
  { places, most }: { places: ReportRows['places']; most: number },
  turns: Turns,
): Promise<Uint32Array> {
  const insert = db.prepare('INSERT INTO host VALUES (?, ?, ?, ?)');
  const numbers = new Uint32Array(most);
  let number = 0;
  for (const [id, host] of sortedHosts(staging)) {
    insert.run(number, host.label, host.name ?? null, host.address ?? null);
    places.noteFoundAt(host);
    numbers[id] = number;
    number += 1;
    await turns.ifDue();
  }
  return numbers;
}

const WORDS_PER_PRINT = PRINT_BYTES / Uint32Array.BYTES_PER_ELEMENT;

/** @param into As long as the order. */
function inOrder<A extends Uint32Array | Int32Array>(valueOf: (row: number) => number, order: Uint32Array, into: A): A {
  for (let position = 0; position < order.length; position += 1) into[position] = valueOf(order[position] ?? 0);
  return into;
}

/**
 * Puts fingerprints into the order in place, as a second place for them would be the largest of all: each round follows
 * where findings come from until it is back where it began. By words of four bytes: views would cost more than the copies.
 */
function arrangePrints(prints: Uint8Array, order: Uint32Array): Uint8Array {
  const words = new Uint32Array(prints.buffer, prints.byteOffset, order.length * WORDS_PER_PRINT);
  const copy = (from: number, to: number): void => {
    for (let word = 0; word < WORDS_PER_PRINT; word += 1) {
      words[to * WORDS_PER_PRINT + word] = words[from * WORDS_PER_PRINT + word] ?? 0;
    }
  };
  const isDone = new Uint8Array(order.length);
  for (let first = 0; first < order.length; first += 1) {
    if (isDone[first] === 1) continue;
    const held = words.slice(first * WORDS_PER_PRINT, (first + 1) * WORDS_PER_PRINT);
    let to = first;
    for (let from = order[to] ?? first; from !== first; from = order[to] ?? first) {
      copy(from, to);
      isDone[to] = 1;
      to = from;
    }
    words.set(held, to * WORDS_PER_PRINT);
    isDone[to] = 1;
  }
  return prints.subarray(0, order.length * PRINT_BYTES);
}

const NOT_RENAMED = 0xffff_ffff;

/** Findings that were renamed as places in the order, with their plain fingerprints. */
function renamedInOrder({ findings, plain }: Numbering['renamed'], order: Uint32Array) {
  const entries = new Uint32Array(order.length).fill(NOT_RENAMED);
  findings.forEach((finding, entry) => (entries[finding] = entry));
  const renamed = new Uint32Array(findings.length);
  const prints = new Uint8Array(plain.length);
  let count = 0;
  order.forEach((finding, place) => {
    const entry = entries[finding] ?? NOT_RENAMED;
    if (entry === NOT_RENAMED) return;
    renamed[count] = place;
    prints.set(plain.subarray(entry * PRINT_BYTES, (entry + 1) * PRINT_BYTES), count * PRINT_BYTES);
    count += 1;
  });
  return { renamed, plain: prints };
}

function countBySeverity(rule: Uint32Array, severity: Uint8Array): BySeverity {
  const counts = [0, 0, 0, 0, 0];
  for (const id of rule) counts[severity[id] ?? 0] = (counts[severity[id] ?? 0] ?? 0) + 1;
  const result = noSeverities();
  SEVERITIES.toReversed().forEach((name, key) => {
    result[name] = counts[key] ?? 0;
  });
  return result;
}
