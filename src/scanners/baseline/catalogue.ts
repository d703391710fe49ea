import type { RuleFacts } from '../../model/finding.ts';
import { RULES, ruleId } from './rules/table.ts';

/** Everything this engine looks for, whether it was ever found or not. */
export const baselineCatalogue = (): readonly Pick<RuleFacts, 'rule_id' | 'rule_family' | 'title' | 'cves'>[] =>
  Object.entries(RULES).map(([name, { family, title }]) => ({
    rule_id: ruleId(name),
    rule_family: family,
    title,
    cves: [],
  }));
