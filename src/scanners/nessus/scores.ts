import type { Cvss, RuleFacts, Severity } from '../../model/finding.ts';
import { cleanLine, cleanPlainLine } from '../../model/untrusted.ts';
import { scoreSeverity, UNRATED } from '../rule-words.ts';
import { all, CHILD, EXPLOITS, first, type RawItem } from './raw-item.ts';

type Rating = Pick<RuleFacts, 'severity' | 'severity_source' | 'severity_rated'>;

const rated = (severity: Severity, source: string): Rating => ({
  severity,
  severity_source: source,
  severity_rated: true,
});

const ATTRIBUTES: ReadonlyMap<string, Rating> = new Map([
  ['0', rated('info', 'engine')],
  ['1', rated('low', 'engine')],
  ['2', rated('medium', 'engine')],
  ['3', rated('high', 'engine')],
  ['4', rated('critical', 'engine')],
]);

const ratingsByWord = (source: string): ReadonlyMap<string, Rating> =>
  new Map([
    ['none', rated('info', source)],
    ['low', rated('low', source)],
    ['medium', rated('medium', source)],
    ['high', rated('high', source)],
    ['critical', rated('critical', source)],
  ]);

/** What other exporters write instead of the number. */
const WORDS = ratingsByWord('engine');
const RISK_FACTORS = ratingsByWord('risk factor');

/**
 * The attribute is what Nessus shows (it follows the severity basis of the scan); the risk factor is CVSS v2 alone. A
 * severity that Nessus does not have makes nothing harmless: then the newest score counts.
 */
export const ratingOf = (item: RawItem): Rating =>
  ATTRIBUTES.get(item.attributes['severity']?.trim() ?? '') ??
  WORDS.get(item.attributes['severity']?.trim().toLowerCase() ?? '') ??
  ratingOfScore(item) ??
  RISK_FACTORS.get(first(item, CHILD.risk_factor)?.trim().toLowerCase() ?? '') ??
  UNRATED;

/** By the bands of Nessus: 10.0 is the only critical score of version 2. */
function ratingOfScore(item: RawItem): Rating | undefined {
  const [newest] = cvssOf(item);
  if (newest === undefined) return undefined;
  const { version, score } = newest;
  const severity = version === '2.0' && score >= 9 && score < 10 ? 'high' : scoreSeverity(score);
  return rated(severity, 'cvss');
}

const DECIMAL = /^\d{1,2}(?:\.\d{1,10})?$/;

/** A decimal number from 0 to `most`; anything else is no score. */
export function scoreUpTo(most: number, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  const score = DECIMAL.test(trimmed) ? Number(trimmed) : Number.NaN;
  return score <= most ? score : undefined;
}

/** The score, its other name, its vector. */
const ELEMENTS = [
  [CHILD.cvss4_base_score, CHILD.cvss4_base_score, CHILD.cvss4_vector, '4.0'],
  [CHILD.cvss3_base_score, CHILD.cvssv3, CHILD.cvss3_vector, '3.0'],
  [CHILD.cvss_base_score, CHILD.cvss, CHILD.cvss_vector, '2.0'],
] as const;

const CVSS2 = 'CVSS2#';

export function cvssOf(item: RawItem): Cvss[] {
  const found: Cvss[] = [];
  const clean = item.isPlain ? cleanPlainLine : cleanLine;
  for (const [scoreChild, otherChild, vectorChild, version] of ELEMENTS) {
    const score = scoreUpTo(10, first(item, scoreChild) ?? first(item, otherChild));
    if (score === undefined) continue;
    const words = first(item, vectorChild)?.trim() ?? '';
    const vector = words.startsWith(CVSS2) ? words.slice(CVSS2.length) : words;
    const isNewer = version === '3.0' && vector.startsWith('CVSS:3.1/');
    const cvss: Cvss = { version: isNewer ? '3.1' : version, score };
    if (vector !== '') cvss.vector = clean(vector, 300);
    found.push(cvss);
  }
  return found;
}

const TRUE = /^\s*(?:true|yes|1)\s*$/i;
const FALSE = /^\s*(?:false|no|0)\s*$/i;

export const hasExploit = (item: RawItem): boolean =>
  EXPLOITS.some((child) => {
    const said = first(item, child);
    return said !== undefined && TRUE.test(said);
  });

/** The element holds `true` or the date by which to fix; older exports have only the cross-reference. */
export const isKnownExploited = (item: RawItem): boolean =>
  all(item, CHILD['cisa-known-exploited']).some((text) => /\S/.test(text) && !FALSE.test(text)) ||
  all(item, CHILD.xref).some((text) => text.includes('CISA-KNOWN-EXPLOITED:'));
