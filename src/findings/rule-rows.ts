import type { RuleFacts } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { uint8Column } from './growing-column.ts';
import { INJECTION_SIGNALS, ruleSignals } from './injection.ts';
import type { RuleColumns } from './open-findings.ts';
import { createRowBatch } from './row-batch.ts';
import { createRuleColumns } from './rule-columns.ts';
import { createTextIds } from './text-ids.ts';
import { createWordsBlocks } from './words-blocks.ts';
import type { TakeBlock } from './words-blocks.ts';

/** The different rules of one report on their way into a findings file. */
export interface RuleRows {
  /** The rule of the next id, as JSON of `RuleFacts`. */
  add(json: string): void;
  /** What in the words of a rule talks to its reader. */
  signalsOf(id: number): readonly string[];
  /** Call once, after the last rule. */
  finish(): RuleColumns;
}

export function createRuleRows(db: Database, takeWords: TakeBlock): RuleRows {
  const ruleRows = createRowBatch(db, 'rule', 2);
  const cveRows = createRowBatch(db, 'rule_cve', 2);
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
    add(json) {
      const rule: RuleFacts = JSON.parse(json);
      const id = count;
      count += 1;
      ruleRows.add(id, json);
      for (const cve of new Set(rule.cves)) cveRows.add(cve, id);
      words.add(rule.description === undefined ? rule.title : `${rule.title}\n${rule.description}`);
      signals.push(bitsOf(ruleSignals(rule)));
      columns.push(rule, names.idOf(rule.rule_id), solutions.idOf(rule.solution ?? ''));
    },
    signalsOf: (id) => namesOf(signals.values()[id] ?? 0),
    finish() {
      words.flush();
      for (const rows of [ruleRows, cveRows, nameRows, solutionRows]) rows.flush();
      return columns.values();
    },
  };
}

const NO_SIGNALS: readonly string[] = [];

const bitsOf = (names: readonly string[]): number =>
  names.reduce((bits, name) => bits | (1 << INJECTION_SIGNALS.indexOf(name)), 0);

const namesOf = (bits: number): readonly string[] =>
  bits === 0 ? NO_SIGNALS : INJECTION_SIGNALS.filter((_, index) => (bits & (1 << index)) !== 0);
