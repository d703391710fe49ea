import type { z } from 'zod';
import { RuleFacts } from '../model/finding.ts';

export type RuleInput = z.input<typeof RuleFacts>;

const MAX_RULES = 5_000;
const MAX_CHARS = 16 << 20;

/**
 * Gives the same object for equal rules, so that what a check says of itself is cleaned and checked once and not with
 * every finding. Bounded: it forgets everything when it is full.
 */
export function createRuleCache(): (input: RuleInput) => RuleFacts {
  const known = new Map<string, RuleFacts>();
  let chars = 0;
  return (input) => {
    const key = JSON.stringify(input);
    const found = known.get(key);
    if (found) return found;
    const rule = RuleFacts.parse(input);
    if (known.size >= MAX_RULES || chars + key.length > MAX_CHARS) {
      known.clear();
      chars = 0;
    }
    known.set(key, rule);
    chars += key.length;
    return rule;
  };
}
