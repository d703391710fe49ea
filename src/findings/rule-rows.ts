import type { Database } from '../platform/sqlite.ts';
import { uint8Column } from './growing-column.ts';
import { INJECTION_SIGNALS, ruleSignals } from './injection.ts';
import { createCveRows } from './cve-rows.ts';
import type { RuleColumns } from './open-findings.ts';
import type { UnpackedRule } from './packed-rules.ts';
import { createRowBatch } from './row-batch.ts';
import { createRuleColumns } from './rule-columns.ts';
import { createTextIds } from './text-ids.ts';
import { createWordsBlocks } from './words-blocks.ts';
import type { TakeBlock } from './words-blocks.ts';

/** The different rules of one report on their way into a findings file. */
export interface RuleRows {
  /** The rule of the next id. */
  readonly add: (rule: UnpackedRule) => void;
  /** What in the words of a rule talks to its reader. */
  signalsOf(id: number): readonly string[];
  /** Call once, after the last rule. */
  finish(): RuleColumns;
}

export function createRuleRows(db: Database, takeWords: TakeBlock): RuleRows {
  const ruleRows = createRowBatch(db, 'rule', 2);
  const cves = createCveRows(db);
  const nameRows = createRowBatch(db, 'rule_name', 2);
  const solutionRows = createRowBatch(db, 'solution', 2);
  const names = createTextIds((id, text) => nameRows.add(id, text));
  const solutions = createTextIds((id, text) => solutionRows.add(id, text));
  const words = createWordsBlocks(takeWords);
  const columns = createRuleColumns();
  /** A bit for each name: there may be as many rules as findings. */
  const signals = uint8Column();
  let count = 0;
  return {
    add(rule) {
      const id = count;
      count += 1;
      ruleRows.add(id, rule.json);
      for (const cve of new Set(rule.cves)) cves.add(cve, id);
      words.add(rule.words);
      signals.push(bitsOf(ruleSignals(rule.ruleId, rule.words, rule.isPlain)));
      columns.push(rule, names.idOf(rule.ruleId), solutions.idOf(rule.solution));
    },
    signalsOf: (id) => namesOf(signals.values()[id] ?? 0),
    finish() {
      words.flush();
      for (const rows of [ruleRows, cves, nameRows, solutionRows]) rows.flush();
      return columns.values();
    },
  };
}

const NO_SIGNALS: readonly string[] = [];

const bitsOf = (names: readonly string[]): number =>
  names.reduce((bits, name) => bits | (1 << INJECTION_SIGNALS.indexOf(name)), 0);

const namesOf = (bits: number): readonly string[] =>
  bits === 0 ? NO_SIGNALS : INJECTION_SIGNALS.filter((_, index) => (bits & (1 << index)) !== 0);
