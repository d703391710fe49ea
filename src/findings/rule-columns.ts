import { bestCvss, severityRank } from '../model/finding.ts';
import type { RuleFacts } from '../model/finding.ts';
import { float64Column, uint8Column, uint32Column } from './growing-column.ts';
import { EXPLOIT, KEV, NONE } from './layout.ts';
import type { RuleColumns } from './open-findings.ts';

const TOP_RANK = severityRank('critical');

/** What a rule is filtered and sorted by, as the numbers its columns hold. */
export interface RuleNumbers {
  /** 0 critical .. 4 info */
  readonly severity: number;
  readonly flags: number;
  readonly cvss: number;
  readonly epss: number;
}

export const ruleNumbers = (rule: RuleFacts): RuleNumbers => ({
  severity: TOP_RANK - severityRank(rule.severity),
  flags: (rule.kev ? KEV : 0) | (rule.exploit_available ? EXPLOIT : 0),
  // Adding 0 makes 0 of -0, whose bits would sort last.
  cvss: (bestCvss(rule) ?? NONE) + 0,
  epss: (rule.epss ?? NONE) + 0,
});

/** The columns of rules, rule by rule: see layout.ts. */
export function createRuleColumns(): {
  push(rule: RuleNumbers, name: number, solution: number): void;
  values(): RuleColumns;
} {
  const severity = uint8Column();
  const flags = uint8Column();
  const cvss = float64Column();
  const epss = float64Column();
  const name = uint32Column();
  const solution = uint32Column();
  return {
    push(rule, nameId, solutionId) {
      severity.push(rule.severity);
      flags.push(rule.flags);
      cvss.push(rule.cvss);
      epss.push(rule.epss);
      name.push(nameId);
      solution.push(solutionId);
    },
    values: () => ({
      count: severity.values().length,
      severity: severity.values(),
      flags: flags.values(),
      cvss: cvss.values(),
      epss: epss.values(),
      name: name.values(),
      solution: solution.values(),
    }),
  };
}
