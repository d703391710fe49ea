import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SEVERITIES } from '../../../src/model/finding.ts';
import type { Rule } from '../../../src/scanners/baseline/rules/rule.ts';
import { renderBaselineRules, ruleId, RULES } from '../../../src/scanners/baseline/rules/table.ts';

const rules = Object.entries<Rule>(RULES);

describe('the rule table of the baseline engine', () => {
  it.each(rules)('%s is whole', (name, rule) => {
    expect(ruleId(name)).toMatch(/^baseline:[a-z0-9.-]+$/);
    expect(SEVERITIES).toContain(rule.severity);
    // The reason for the severity begins with its name.
    expect(rule.description).toMatch(new RegExp(`(^|[.:] )${rule.severity}[:]`, 'i'));
    expect(rule.cwes.length > 0).toBe(rule.family !== 'inventory');
    for (const cwe of rule.cwes) expect(cwe).toMatch(/^CWE-\d+$/);
    for (const text of [rule.title, rule.description, rule.solution]) expect(text.trim().length).toBeGreaterThan(10);
    expect(URL.canParse(rule.reference)).toBe(true);
    expect([rule.title.length <= 300, rule.description.length <= 4_000]).toEqual([true, true]);
  });

  it('is what docs/engines/baseline.md shows', () => {
    const doc = readFileSync(new URL('../../../docs/engines/baseline.md', import.meta.url), 'utf8');
    expect(doc).toContain(renderBaselineRules());
  });
});
