import type { Cvss, RuleFacts, Severity } from '../../model/finding.ts';
import { SEVERITIES } from '../../model/finding.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { all, EXPLOITS, first, type RawItem } from './raw-item.ts';

type Rating = Pick<RuleFacts, 'severity' | 'severity_source' | 'severity_rated'>;

const RISK_FACTORS: ReadonlyMap<string, Severity> = new Map([
  ['none', 'info'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['critical', 'critical'],
]);

/** The attribute is what Nessus shows (it follows the severity basis of the scan); the risk factor is CVSS v2 alone. */
export function ratingOf(item: RawItem): Rating {
  const number = item.attributes['severity']?.trim() ?? '';
  const severity = /^[0-4]$/.test(number) ? SEVERITIES[Number(number)] : undefined;
  if (severity) return { severity, severity_source: 'engine', severity_rated: true };
  const risk = RISK_FACTORS.get(first(item, 'risk_factor')?.trim().toLowerCase() ?? '');
  if (risk) return { severity: risk, severity_source: 'risk factor', severity_rated: true };
  return { severity: 'info', severity_source: 'default', severity_rated: false };
}

/** A decimal number from 0 to `most`; anything else is no score. */
export function scoreUpTo(most: number, text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  const score = /^\d{1,2}(?:\.\d{1,10})?$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  return score <= most ? score : undefined;
}

const ELEMENTS = [
  ['cvss4_base_score', 'cvss4_vector', '4.0'],
  ['cvss3_base_score', 'cvss3_vector', '3.0'],
  ['cvss_base_score', 'cvss_vector', '2.0'],
] as const;

export function cvssOf(item: RawItem): Cvss[] {
  const found: Cvss[] = [];
  for (const [scoreName, vectorName, version] of ELEMENTS) {
    const score = scoreUpTo(10, first(item, scoreName));
    if (score === undefined) continue;
    const vector = first(item, vectorName)
      ?.trim()
      .replace(/^CVSS2#/, '');
    const isNewer = version === '3.0' && vector?.startsWith('CVSS:3.1/');
    found.push({ version: isNewer ? '3.1' : version, score, ...(vector ? { vector: cleanLine(vector, 300) } : {}) });
  }
  return found;
}

const isTrue = (text: string | undefined): boolean => /^\s*(?:true|yes|1)\s*$/i.test(text ?? '');

export const hasExploit = (item: RawItem): boolean => EXPLOITS.some((name) => isTrue(first(item, name)));

/** The element holds `true` or the date by which to fix; older exports have only the cross-reference. */
export const isKnownExploited = (item: RawItem): boolean =>
  all(item, 'cisa-known-exploited').some((text) => /\S/.test(text) && !/^\s*(?:false|no|0)\s*$/i.test(text)) ||
  all(item, 'xref').some((text) => text.includes('CISA-KNOWN-EXPLOITED:'));
