import { EXPOSURE_RULES } from './exposure-rules.ts';
import { HTTP_RULES } from './http-rules.ts';
import type { Rule } from './rule.ts';
import { SERVICE_RULES } from './service-rules.ts';
import { TLS_RULES } from './tls-rules.ts';

/** Every check of the engine by its name. Names are public: they never change their meaning. */
export const RULES = { ...SERVICE_RULES, ...EXPOSURE_RULES, ...TLS_RULES, ...HTTP_RULES } as const;
export type RuleName = keyof typeof RULES;

/** The id of a check in findings. */
export const ruleId = (name: string): string => `baseline:${name}`;

const BY_NAME: ReadonlyMap<string, Rule> = new Map(Object.entries(RULES));

/** The check with this name; reports may name anything. */
export const findRule = (name: string): Rule | undefined => BY_NAME.get(name);

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The table of docs/engines/baseline.md as Markdown; a test compares it with the file. */
export function renderBaselineRules(): string {
  const rows = Object.entries<Rule>(RULES).map(
    ([name, { title, severity, description, cwes, solution, reference }]) => {
      const cwe = cwes.join(', ') || 'none';
      return `| \`${ruleId(name)}\` | ${severity} | ${cell(title)} | ${cell(description)} | ${cwe} | ${cell(solution)} | <${reference}> |`;
    },
  );
  return [
    '| rule | severity | title | what, and why this severity | CWE | solution | reference |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
