import { RuleFacts } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { ruleSignals } from './injection.ts';
import type { RuleColumns } from './open-findings.ts';
import { createRecentTexts } from './recent-texts.ts';
import { createRowBatch } from './row-batch.ts';
import { createRuleColumns } from './rule-columns.ts';
import { createTextIds } from './text-ids.ts';
import { createWordsBlocks } from './words-blocks.ts';
import type { TakeBlock } from './words-blocks.ts';

/** What a finding needs to know of its rule. */
export interface KnownRule {
  readonly id: number;
  /** Cleaned, as the parser gave it: part of the fingerprint. */
  readonly ruleId: string;
  readonly signals: readonly string[];
}

/** The rules of one report: each is validated, enriched and stored once. */
export interface RuleBook {
  /** @throws ZodError when the rule does not fit its schema */
  know(rule: RuleFacts): KnownRule;
  /** For a rule that came out of its schema just now and will not come again as this object. */
  knowParsed(rule: RuleFacts): KnownRule;
  /** Call once, after the last rule. */
  finish(): RuleColumns;
}

/** Of the text of recent rules. What is forgotten and comes again is stored again, which costs space only. */
const RECENT_CHARS = 2 << 20;

export function createRuleBook(
  db: Database,
  takeWords: TakeBlock,
  enrich: (rule: RuleFacts) => RuleFacts = (rule) => rule,
): RuleBook {
  const ruleRows = createRowBatch(db, 'rule', 2);
  const cveRows = createRowBatch(db, 'rule_cve', 2);
  const insertName = db.prepare('INSERT INTO rule_name VALUES (?, ?)');
  const insertSolution = db.prepare('INSERT INTO solution VALUES (?, ?)');
  const names = createTextIds((id, text) => void insertName.run(id, text));
  const solutions = createTextIds((id, text) => void insertSolution.run(id, text));
  const words = createWordsBlocks(takeWords);
  const columns = createRuleColumns();
  let count = 0;
  const byObject = new WeakMap<RuleFacts, KnownRule>();
  const byText = createRecentTexts<KnownRule>(RECENT_CHARS);

  const store = (rule: RuleFacts, json: string): number => {
    const id = count;
    count += 1;
    ruleRows.add(id, json);
    for (const cve of new Set(rule.cves)) cveRows.add(cve, id);
    words.add(rule.description === undefined ? rule.title : `${rule.title}\n${rule.description}`);
    columns.push(rule, names.idOf(rule.rule_id), solutions.idOf(rule.solution ?? ''));
    return id;
  };

  const knowParsed = (rule: RuleFacts): KnownRule => {
    const text = JSON.stringify(rule);
    const known = byText.get(text);
    if (known !== undefined) return known;
    const enriched = enrich(rule);
    const id = store(enriched, enriched === rule ? text : JSON.stringify(enriched));
    const made = { id, ruleId: rule.rule_id, signals: ruleSignals(rule) };
    byText.set(text, made);
    return made;
  };

  return {
    know(rule) {
      const known = byObject.get(rule);
      if (known !== undefined) return known;
      const made = knowParsed(RuleFacts.parse(rule));
      byObject.set(rule, made);
      return made;
    },
    knowParsed,
    finish() {
      words.flush();
      ruleRows.flush();
      cveRows.flush();
      return columns.values();
    },
  };
}
