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
/** After so many different rules in a row only one in `PROBE` is remembered: in such a report hardly any comes again. */
const PATIENCE = 2_048;
const PROBE = 16;

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
  /** Rules since one was known already. */
  let strangers = 0;

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
    const isAsked = strangers < PATIENCE || strangers % PROBE === 0;
    const known = isAsked ? byText.get(text) : undefined;
    strangers = known === undefined ? strangers + 1 : 0;
    if (known !== undefined) return known;
    const enriched = enrich(rule);
    const id = store(enriched, enriched === rule ? text : JSON.stringify(enriched));
    const made = { id, ruleId: rule.rule_id, signals: ruleSignals(rule) };
    if (isAsked) byText.set(text, made);
    return made;
  };

  return {
    know(rule) {
      const known = byObject.get(rule);
      if (known !== undefined) {
        strangers = 0;
        return known;
      }
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
