import { RuleFacts } from '../model/finding.ts';
import { createRecent } from './recent-texts.ts';

/** What a finding needs to know of its rule. */
export interface KnownRule {
  readonly id: number;
  /** Cleaned, as the parser gave it: part of the fingerprint. */
  readonly ruleId: string;
}

/** The rules of one report: each is validated, enriched and stored once. */
export interface RuleBook {
  /**
   * @param isTested It comes from code that is tested to give what the schema gives.
   * @throws ZodError when the rule does not fit its schema
   */
  know(rule: RuleFacts, isTested: boolean): KnownRule;
  /** For a rule that came out of its schema just now and will not come again as this object. */
  knowParsed(rule: RuleFacts): KnownRule;
}

/** Of the text of recent rules. What is forgotten and comes again is stored again, which costs space only. */
const RECENT_CHARS = 2 << 20;
/** Objects of rules, each of which may hold some kilobytes. */
const RECENT_OBJECTS = 2_048;
/** Rules after which the numbers are halved: what counts is the recent past. */
const WINDOW = 2_048;
/**
 * Where fewer than a quarter of the rules come again, only one in `PROBE` is remembered: the rest would live just long
 * enough to be work for the collector.
 */
const PROBE = 16;

interface Remembered {
  readonly text: string;
  readonly known: KnownRule;
}

/** @param keep Gets each different rule, enriched; ids are dense and start at 0. */
export function createRuleBook(
  keep: (rule: RuleFacts) => void,
  enrich: (rule: RuleFacts) => RuleFacts = (rule) => rule,
): RuleBook {
  let count = 0;
  let asked = 0;
  let again = 0;
  // Not a WeakMap: where no rule comes again, the collector spends more on one than all else costs here.
  const byObject = createRecent<RuleFacts, KnownRule>(RECENT_OBJECTS, () => 1);
  /** By what is short: to write down and hash all of every rule costs more than to do so where there may be an equal one. */
  const byKey = createRecent<string, Remembered>(RECENT_CHARS, (_, { text }) => text.length);

  const hear = (isKnown: boolean): void => {
    asked += 1;
    if (isKnown) again += 1;
    if (asked < WINDOW) return;
    asked /= 2;
    again /= 2;
  };
  const isWorthIt = (): boolean => asked < WINDOW / 4 || again * 4 >= asked || count % PROBE === 0;

  const knowParsed = (rule: RuleFacts): KnownRule => {
    const key = `${rule.rule_id} ${rule.title.length} ${rule.description?.length}`;
    const remembered = byKey.get(key);
    const text = remembered && JSON.stringify(rule);
    const isKnown = remembered !== undefined && remembered.text === text;
    hear(isKnown);
    if (isKnown) return remembered.known;
    keep(enrich(rule));
    const known = { id: count, ruleId: rule.rule_id };
    count += 1;
    if (isWorthIt()) byKey.set(key, { text: text ?? JSON.stringify(rule), known });
    return known;
  };

  return {
    know(rule, isTested) {
      const known = byObject.get(rule);
      if (known !== undefined) {
        hear(true);
        return known;
      }
      const made = knowParsed(isTested ? rule : RuleFacts.parse(rule));
      if (isWorthIt()) byObject.set(rule, made);
      return made;
    },
    knowParsed,
  };
}
