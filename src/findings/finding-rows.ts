import { fingerprint } from '../model/finding.ts';
import type { Occurrence } from '../model/finding.ts';
import { isWithdrawn } from '../model/report-state.ts';
import type { Database } from '../platform/sqlite.ts';
import { bodyJson, untrustedJson } from './body-json.ts';
import { int32Column, uint32Column } from './growing-column.ts';
import type { HostBook } from './host-book.ts';
import { occurrenceSignals } from './injection.ts';
import { NONE, PRINT_BYTES } from './layout.ts';
import { createRowBatch } from './row-batch.ts';
import type { KnownRule } from './rule-book.ts';
import { searchText } from './search-text.ts';
import { createWordsBlocks } from './words-blocks.ts';
import type { TakeBlock } from './words-blocks.ts';

/** Findings of one report in its order; their words are written at once, the rest is kept packed. */
export interface FindingRows {
  add(engine: string, rule: KnownRule, occurrence: Occurrence): void;
  count(): number;
  /** Of these, how many the report itself took back. */
  withdrawn(): number;
  /** There are more findings than are allowed. */
  isOver(): boolean;
  /** Call once, after the last finding. */
  finish(): UnnumberedRows;
}

/** By number in the report. */
export interface UnnumberedRows {
  readonly count: number;
  readonly rule: Uint32Array;
  /** As the host book gave it. */
  readonly host: Uint32Array;
  readonly port: Int32Array;
  /** Plain fingerprints, `PRINT_BYTES` each. */
  readonly prints: Uint8Array;
}

const FIRST_ROWS = 1_024;

export function createFindingRows(
  db: Database,
  takeWords: TakeBlock,
  { hosts, maxFindings }: { hosts: HostBook; maxFindings: number },
): FindingRows {
  const bodies = createRowBatch(db, 'body', 2);
  const words = createWordsBlocks(takeWords);
  const rule = uint32Column();
  const host = uint32Column();
  const port = int32Column();
  let prints = Buffer.alloc(FIRST_ROWS * PRINT_BYTES);
  let count = 0;
  let withdrawn = 0;

  const keepPrint = (print: string): void => {
    if (count * PRINT_BYTES === prints.length) {
      const larger = Buffer.alloc(prints.length * 2);
      prints.copy(larger);
      prints = larger;
    }
    prints.write(print, count * PRINT_BYTES, 'hex');
  };

  return {
    add(engine, { id, ruleId, signals }, occurrence) {
      if (count >= maxFindings) {
        count = maxFindings + 1;
        return;
      }
      const { location, untrusted, discriminator } = occurrence;
      keepPrint(
        fingerprint(engine, { rule_id: ruleId, location, ...(discriminator !== undefined && { discriminator }) }),
      );
      rule.push(id);
      host.push(hosts.idOf(location));
      port.push(location.port ?? NONE);
      words.add(searchText(occurrence));
      const texts = untrustedJson(untrusted);
      const seen = union(signals, occurrenceSignals(occurrence, texts.isPlain));
      if (isWithdrawn(occurrence.report_state)) withdrawn += 1;
      bodies.add(count, bodyJson(occurrence, texts, seen));
      count += 1;
    },
    count: () => count,
    withdrawn: () => withdrawn,
    isOver: () => count > maxFindings,
    finish() {
      words.flush();
      bodies.flush();
      return {
        count,
        rule: rule.values(),
        host: host.values(),
        port: port.values(),
        prints: prints.subarray(0, count * PRINT_BYTES),
      };
    },
  };
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] =>
  b.length === 0 ? a : [...new Set([...a, ...b])].toSorted();
