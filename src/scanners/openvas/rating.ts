import type { Cvss, ParsedFindingInput, Severity } from '../../model/finding.ts';
import { childOf, childrenOf, oneLine, textOf, type XmlNode } from '../xml-tree.ts';

type Rating = Pick<ParsedFindingInput, 'severity' | 'severity_source' | 'severity_rated'>;

/** Bands of CVSS 3 and 4, which Greenbone gives its number by whatever version the vector has. */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

/** The words of `<threat>`. `Alarm` is what sensors of old versions said for any weakness. */
const THREATS: ReadonlyMap<string, Severity> = new Map([
  ['critical', 'critical'],
  ['high', 'high'],
  ['alarm', 'high'],
  ['medium', 'medium'],
  ['low', 'low'],
  ['log', 'info'],
  ['debug', 'info'],
  ['error', 'info'],
]);

/** A number from 0 to 10. Negative ones are classes of their own in gvmd: -1 false positive, -2 debug, -3 error. */
const scoreOf = (text: string | undefined): number | undefined => {
  const score = text === undefined || !/^\d{1,3}(\.\d+)?$/.test(text) ? Number.NaN : Number(text);
  return score >= 0 && score <= 10 ? score : undefined;
};

/**
 * The severity of a result: its number, else its word, else the number of its check. A result that an override calls a
 * false positive keeps what it had before: `report_state` says what was decided.
 */
export function ratingOf(result: XmlNode): Rating {
  const isFalsePositive = isOverriddenAway(result);
  const [number, word] = isFalsePositive ? ['original_severity', 'original_threat'] : ['severity', 'threat'];
  const score = scoreOf(textOf(result, number));
  if (score !== undefined) return rated(severityOfScore(score), score > 0 ? 'cvss' : 'engine');
  // Debug and error: classes of their own, whatever the check says.
  if (['-2', '-3'].includes(textOf(result, number)?.replace(/\.0*$/, '') ?? '')) return rated('info', 'engine');
  const threat = THREATS.get((textOf(result, word) ?? '').toLowerCase());
  if (threat !== undefined) return rated(threat, 'engine');
  const base = scoreOf(textOf(childOf(result, 'nvt'), 'cvss_base'));
  if (base !== undefined) return rated(severityOfScore(base), 'rule cvss');
  return { severity: 'medium', severity_source: 'default', severity_rated: false };
}

const rated = (severity: Severity, source: string): Rating => ({
  severity,
  severity_source: source,
  severity_rated: true,
});

const isOverriddenAway = (result: XmlNode): boolean =>
  /^false positive$/i.test(textOf(result, 'threat') ?? '') || Number(textOf(result, 'severity')) === -1;

/** In a delta report: how the result differs from the earlier scan. `gone` is what only that one had. */
const DELTAS: ReadonlyMap<string, string> = new Map([
  ['gone', 'absent'],
  ['new', 'new'],
  ['same', 'unchanged'],
  ['changed', 'updated'],
]);

/** What the report itself says of the result besides that it is there: deltas in the words of SARIF. */
export function reportStateOf(result: XmlNode): string | undefined {
  const delta = DELTAS.get((textOf(result, 'delta') ?? '').toLowerCase());
  const states = [delta && `baseline: ${delta} (delta report)`, overrideOf(result)];
  return states.filter((state) => state !== undefined).join('; ') || undefined;
}

/** What overrides of the report made of the result, in words. */
function overrideOf(result: XmlNode): string | undefined {
  const overrides = childrenOf(childOf(result, 'overrides'), 'override');
  const reason = overrides
    .filter((override) => textOf(override, 'active') !== '0')
    .map((override) => oneLine(textOf(override, 'text') ?? ''))
    .find(Boolean);
  const why = reason === undefined ? '' : `: ${reason}`;
  if (isOverriddenAway(result)) return `false positive by an override${why}`;
  const [now, before] = [scoreOf(textOf(result, 'severity')), scoreOf(textOf(result, 'original_severity'))];
  if (now === undefined || before === undefined || now === before) return undefined;
  return `severity ${before.toFixed(1)} changed to ${now.toFixed(1)} by an override${why}`;
}

/** Scores of the check: `<severities>` since GMP 20.8, before that `cvss_base` and a vector among the tags. */
export function cvssOf(nvt: XmlNode | undefined, baseVector: string | undefined): Cvss[] {
  const base = scoreOf(textOf(nvt, 'cvss_base'));
  const listed = childrenOf(childOf(nvt, 'severities'), 'severity').flatMap((severity): Cvss[] => {
    const vector = vectorOf(textOf(severity, 'value'));
    const score = wideScore(textOf(severity, 'score'), base);
    return score === undefined ? [] : [entry(versionOf(vector, severity.attributes['type']), score, vector)];
  });
  if (listed.length > 0) return listed.slice(0, 6);
  const vector = vectorOf(baseVector);
  // 0 without a vector is how a check that only logs says that it has no score.
  if (base === undefined || (base === 0 && vector === undefined)) return [];
  return [entry(versionOf(vector, undefined), base, vector)];
}

const entry = (version: Cvss['version'], score: number, vector: string | undefined): Cvss => ({
  version,
  score,
  ...(vector === undefined ? {} : { vector }),
});

/** GMP 20.8 and 21.4 wrote tenths (`50` for 5.0). A number that can be either is what agrees with `cvss_base`. */
function wideScore(text: string | undefined, base: number | undefined): number | undefined {
  if (text === undefined || !/^\d{1,3}(\.\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  if (text.includes('.') || number === 0) return scoreOf(text);
  const isTenths = number > 10 || base === number / 10;
  return scoreOf(String(isTenths ? number / 10 : number));
}

const vectorOf = (text: string | undefined): string | undefined =>
  text !== undefined && /^(CVSS:\d\.\d\/)?[A-Za-z]{1,3}:[A-Za-z]{1,3}(\/[A-Za-z]{1,3}:[A-Za-z]{1,3}){2,40}$/.test(text)
    ? text
    : undefined;

function versionOf(vector: string | undefined, type: string | undefined): Cvss['version'] {
  const prefix = /^CVSS:(3\.0|3\.1|4\.0)\//.exec(vector ?? '')?.[1];
  if (prefix === '3.0' || prefix === '3.1' || prefix === '4.0') return prefix;
  if (type?.endsWith('v4')) return '4.0';
  return type?.endsWith('v3') ? '3.1' : '2.0';
}

/** Quality of detection, in percent: from 98 something was exploited or proved at work, below 70 it is a guess. */
export function confidenceOf(result: XmlNode): ParsedFindingInput['confidence'] {
  const text = textOf(childOf(result, 'qod'), 'value');
  const percent = text === undefined ? Number.NaN : Number(text);
  if (percent >= 98) return 'certain';
  return percent < 70 ? 'tentative' : 'firm';
}

/** Outcome of an item of an audit. */
export function complianceOf(result: XmlNode): ParsedFindingInput['compliance'] {
  switch (textOf(result, 'compliance')?.toLowerCase()) {
    case 'yes':
      return 'passed';
    case 'no':
      return 'failed';
    case 'incomplete':
      return 'warning';
    default:
      return undefined;
  }
}
