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

/** The kind in the spelling of SARIF, whatever the case; one that is unknown as it stands. */
function kindOf(result: JsonObject): string {
  const kind = textOf(result['kind']) ?? 'fail';
  return ['fail', ...NO_FAILURES].find((known) => known.toLowerCase() === kind.toLowerCase()) ?? kind;
}

const severityOf = (level: string): Rating['severity'] | undefined => wordIn(LEVELS, level.toLowerCase());

/**
 * How bad a result is: its `security-severity` (0 to 10, as code scanning reads it), else its level, else the one its
 * rule was given for this run, else the default of the rule. A result that is no failure (`pass`, `review`, ...) is information. Without any of them SARIF means `warning`,
 * but nobody said so.
 */
export function ratingOf(result: JsonObject, rule: SarifRule | undefined, levelForRun: string | undefined): Rating {
  if (NO_FAILURES.has(kindOf(result)))
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
    const severity = severityOf(level);
    if (severity) return { severity, severity_source: source, severity_rated: true };
  }
  return { severity: 'medium', severity_source: 'default', severity_rated: false };
}

/** Without a level of its own, what its rule is given by the run counts. */
export const needsInvocations = (result: JsonObject): boolean =>
  severityOf(textOf(result['level']) ?? '') === undefined;

/** 0.0 is none, as for code scanning: tools write it where they have no score. */
function scoreIn(properties: JsonObject): number | undefined {
  const score = numberOf(properties['security-severity']);
  return score !== undefined && score > 0 && score <= 10 ? score : undefined;
}

const PRECISIONS: Readonly<Record<string, 'certain' | 'firm' | 'tentative'>> = {
  'very-high': 'certain',
  high: 'firm',
  medium: 'firm',
  low: 'tentative',
};

export const confidenceOf = (rule: SarifRule | undefined): 'certain' | 'firm' | 'tentative' | undefined =>
  wordIn(PRECISIONS, textOf(rule?.properties['precision'])?.toLowerCase() ?? '');

const BASELINE_STATES: ReadonlySet<string> = new Set(['new', 'unchanged', 'updated', 'absent', 'existing']);

/**
 * What the report says of a result besides that it is there: suppressed, known before, no failure. Of the words of SARIF
 * alone: whoever wrote the code that was scanned may have written the others.
 */
export function stateOf(result: JsonObject): string | undefined {
  const kind = kindOf(result);
  const baseline = textOf(result['baselineState']) ?? '';
  const suppression = shownSuppression(result);
  const states = [
    suppression && wordsOf(suppression),
    BASELINE_STATES.has(baseline) ? `baseline: ${baseline}` : undefined,
    kind === 'fail' ? undefined : `kind: ${NO_FAILURES.has(kind) ? kind : 'unknown'}`,
  ];
  return states.filter((state) => state !== undefined).join('; ') || undefined;
}

/** Why it is suppressed: mostly a comment in the code that was scanned. */
export const justificationOf = (result: JsonObject): string | undefined =>
  textOf(shownSuppression(result)?.['justification']);

/** Drafts called `status` `state`. */
const statusOf = (one: JsonObject): string => textOf(one['status']) ?? textOf(one['state']) ?? 'accepted';

/** Suppressed when all of them were accepted (SARIF 2.1.0, 3.27.23): else the one that was not. */
function shownSuppression(result: JsonObject): JsonObject | undefined {
  const value = result['suppressions'];
  const suppressions = Array.isArray(value) ? value.map(objectOf) : [];
  return suppressions.find((one) => statusOf(one) !== 'accepted') ?? suppressions[0];
}

function wordsOf(suppression: JsonObject): string {
  const status = statusOf(suppression);
  const kind = textOf(suppression['kind']) ?? 'external';
  const known = ['underReview', 'rejected'].includes(status) ? status : 'of unknown status';
  const shown = ['inSource', 'external'].includes(kind) ? kind : 'of unknown kind';
  return `${status === 'accepted' ? 'suppressed' : `suppression ${known}`} (${shown})`;
}
