import { fingerprint } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { bodyJson, untrustedJson } from './body-json.ts';
import { int32Column, uint32Column } from './growing-column.ts';
import type { HostBook } from './host-book.ts';
import { occurrenceSignals } from './injection.ts';
import { NONE, PRINT_BYTES } from './layout.ts';
import type { UnpackedFinding } from './packed-findings.ts';
import { createRowBatch } from './row-batch.ts';
import { searchText } from './search-text.ts';
import { createWordsBlocks } from './words-blocks.ts';
import type { TakeBlock } from './words-blocks.ts';

/** Findings of one report in its order; their words are written at once, the rest is kept packed. */
export interface FindingRows {
  /** @param ruleSignals What was seen in the words of its rule. */
  add(engine: string, finding: UnpackedFinding, ruleSignals: readonly string[]): void;
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

export function createFindingRows(db: Database, takeWords: TakeBlock, hosts: HostBook): FindingRows {
  const bodies = createRowBatch(db, 'body', 2);
  const words = createWordsBlocks(takeWords);
  const rule = uint32Column();
  const host = uint32Column();
  const port = int32Column();
  let prints = Buffer.alloc(FIRST_ROWS * PRINT_BYTES);
  let count = 0;

  const keepPrint = (print: string): void => {
    if (count * PRINT_BYTES === prints.length) {
      const larger = Buffer.alloc(prints.length * 2);
      prints.copy(larger);
      prints = larger;
    }
    prints.write(print, count * PRINT_BYTES, 'hex');
  };

  return {
    add(engine, { rule: id, ruleId, locationJson, occurrence }, ruleSignals) {
      const { location, untrusted, discriminator } = occurrence;
      keepPrint(
        fingerprint(engine, { rule_id: ruleId, location, ...(discriminator !== undefined && { discriminator }) }),
      );
      rule.push(id);
      host.push(hosts.idOf(location));
      port.push(location.port ?? NONE);
      words.add(searchText(occurrence));
      const texts = untrustedJson(untrusted);
      const seen = union(ruleSignals, occurrenceSignals(occurrence, texts.isPlain));
      bodies.add(count, bodyJson(occurrence, texts, seen, locationJson));
      count += 1;
    },
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
