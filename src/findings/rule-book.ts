import { RuleFacts } from '../model/finding.ts';
import { createRecentTexts } from './recent-texts.ts';

/** What a finding needs to know of its rule. */
export interface KnownRule {
  readonly id: number;
  /** Cleaned, as the parser gave it: part of the fingerprint. */
  readonly ruleId: string;
}

/** The rules of one report: each is validated, enriched and stored once. */
export interface RuleBook {
  /** @throws ZodError when the rule does not fit its schema */
  know(rule: RuleFacts): KnownRule;
  /** For a rule that came out of its schema just now and will not come again as this object. */
  knowParsed(rule: RuleFacts): KnownRule;
}

/** Of the text of recent rules. What is forgotten and comes again is stored again, which costs space only. */
const RECENT_CHARS = 2 << 20;
/** After so many different rules in a row only one in `PROBE` is remembered: in such a report hardly any comes again. */
const PATIENCE = 2_048;
const PROBE = 16;

/** @param keep Gets the JSON of each different rule, enriched; ids are dense and start at 0. */
export function createRuleBook(
  keep: (json: string) => void,
  enrich: (rule: RuleFacts) => RuleFacts = (rule) => rule,
): RuleBook {
  let count = 0;
  const byObject = new WeakMap<RuleFacts, KnownRule>();
  const byText = createRecentTexts<KnownRule>(RECENT_CHARS);
  /** Rules since one was known already. */
  let strangers = 0;

  const knowParsed = (rule: RuleFacts): KnownRule => {
    const text = JSON.stringify(rule);
    const isAsked = strangers < PATIENCE || strangers % PROBE === 0;
    const known = isAsked ? byText.get(text) : undefined;
    strangers = known === undefined ? strangers + 1 : 0;
    if (known !== undefined) return known;
    const enriched = enrich(rule);
    keep(enriched === rule ? text : JSON.stringify(enriched));
    const made = { id: count, ruleId: rule.rule_id };
    count += 1;
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
  };
}
