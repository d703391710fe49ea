import { objectOf, numberOf, textOf, wordIn, type JsonObject } from '../json-fields.ts';
import { scoreSeverity, type Rating } from '../rule-words.ts';
import type { SarifRule } from './rules.ts';

const LEVELS: Readonly<Record<string, Rating['severity']>> = {
  error: 'high',
  warning: 'medium',
  note: 'low',
  none: 'info',
};

/** A kind that SARIF does not know makes nothing harmless. Source: SARIF 2.1.0, 3.27.9. */
const NO_FAILURES: ReadonlySet<string> = new Set(['pass', 'open', 'informational', 'notApplicable', 'review']);

/**
 * How bad a result is: its `security-severity` (0 to 10, as code scanning reads it), else its level, else the one its
 * rule was given for this run, else the default of the rule. A result that is no failure (`pass`, `review`, ...) is information. Without any of them SARIF means `warning`,
 * but nobody said so.
 */
export function ratingOf(result: JsonObject, rule: SarifRule | undefined, levelForRun: string | undefined): Rating {
  if (NO_FAILURES.has(textOf(result['kind']) ?? ''))
    return { severity: 'info', severity_source: 'sarif: kind', severity_rated: true };
  const score = scoreIn(objectOf(result['properties'])) ?? scoreIn(rule?.properties ?? {});
  if (score !== undefined)
    return { severity: scoreSeverity(score), severity_source: 'sarif: security-severity', severity_rated: true };
  const levels = [
    [textOf(result['level']), 'sarif: level'],
    [levelForRun, 'sarif: level of the rule in this run'],
    [rule?.level, 'sarif: level of the rule'],
  ] as const;
  for (const [level = '', source] of levels) {
    const severity = wordIn(LEVELS, level);
    if (severity) return { severity, severity_source: source, severity_rated: true };
  }
  return { severity: 'medium', severity_source: 'default', severity_rated: false };
}

/** Without a level of its own, what its rule is given by the run counts. */
export const needsInvocations = (result: JsonObject): boolean =>
  wordIn(LEVELS, textOf(result['level']) ?? '') === undefined;

function scoreIn(properties: JsonObject): number | undefined {
  const score = numberOf(properties['security-severity']);
  return score !== undefined && score >= 0 && score <= 10 ? score : undefined;
}

const PRECISIONS: Readonly<Record<string, 'certain' | 'firm' | 'tentative'>> = {
  'very-high': 'certain',
  high: 'firm',
  medium: 'firm',
  low: 'tentative',
};

export const confidenceOf = (rule: SarifRule | undefined): 'certain' | 'firm' | 'tentative' | undefined =>
  wordIn(PRECISIONS, textOf(rule?.properties['precision'])?.toLowerCase() ?? '');

/** What the report says of a result besides that it is there: suppressed, known before, no failure. */
export function stateOf(result: JsonObject): string | undefined {
  const kind = textOf(result['kind']);
  const baseline = textOf(result['baselineState']);
  const states = [
    suppressionOf(result['suppressions']),
    baseline === undefined ? undefined : `baseline: ${baseline}`,
    kind === undefined || kind === 'fail' ? undefined : `kind: ${kind}`,
  ];
  return states.filter((state) => state !== undefined).join('; ') || undefined;
}

/** Suppressed when all of them were accepted (SARIF 2.1.0, 3.27.23). Drafts called `status` `state`. */
function suppressionOf(value: unknown): string | undefined {
  const suppressions = Array.isArray(value) ? value.map(objectOf) : [];
  const [first] = suppressions;
  if (!first) return undefined;
  const statusOf = (one: JsonObject): string => textOf(one['status']) ?? textOf(one['state']) ?? 'accepted';
  const open = suppressions.find((one) => statusOf(one) !== 'accepted');
  const shown = open ?? first;
  const word = open ? `suppression ${statusOf(open)}` : 'suppressed';
  const reason = textOf(shown['justification']);
  return `${word} (${textOf(shown['kind']) ?? 'external'})${reason === undefined ? '' : `: ${reason}`}`;
}
