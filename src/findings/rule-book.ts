import { bestCvss, RuleFacts, severityRank } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { float64Column, uint8Column, uint32Column } from './growing-column.ts';
import { ruleSignals } from './injection.ts';
import { EXPLOIT, KEV, NONE } from './layout.ts';
import type { RuleColumns } from './open-findings.ts';
import { createRecentTexts } from './recent-texts.ts';
import { createRowBatch } from './row-batch.ts';
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
const LEAST_RANK = severityRank('critical');

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
  const columns = {
    severity: uint8Column(),
    flags: uint8Column(),
    cvss: float64Column(),
    epss: float64Column(),
    name: uint32Column(),
    solution: uint32Column(),
  };
  let count = 0;
  const byObject = new WeakMap<RuleFacts, KnownRule>();
  const byText = createRecentTexts<KnownRule>(RECENT_CHARS);

  const store = (rule: RuleFacts, json: string): number => {
    const id = count;
    count += 1;
    ruleRows.add(id, json);
    for (const cve of new Set(rule.cves)) cveRows.add(cve, id);
    words.add(rule.description === undefined ? rule.title : `${rule.title}\n${rule.description}`);
    columns.severity.push(LEAST_RANK - severityRank(rule.severity));
    columns.flags.push((rule.kev ? KEV : 0) | (rule.exploit_available ? EXPLOIT : 0));
    // Adding 0 makes 0 of -0, whose bits would sort last.
    columns.cvss.push((bestCvss(rule) ?? NONE) + 0);
    columns.epss.push((rule.epss ?? NONE) + 0);
    columns.name.push(names.idOf(rule.rule_id));
    columns.solution.push(solutions.idOf(rule.solution ?? ''));
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
      return {
        count,
        severity: columns.severity.values(),
        flags: columns.flags.values(),
        cvss: columns.cvss.values(),
        epss: columns.epss.values(),
        name: columns.name.values(),
        solution: columns.solution.values(),
      };
    },
  };
}
