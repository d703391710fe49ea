import { MAX_CVES, type Cvss, type Severity } from '../model/finding.ts';
import { numberOf, textOf, textsOf } from './json-fields.ts';

/** What a report says of how bad something is, in the terms of RuleFacts. */
export interface Rating {
  readonly severity: Severity;
  readonly severity_source: string;
  readonly severity_rated: boolean;
}

/** Unrated is not harmless: it stays where a look at `medium and above` finds it, and says that nobody rated it. */
export const UNRATED: Rating = { severity: 'medium', severity_source: 'default', severity_rated: false };

/** CVSS v3 qualitative bands, also those of SARIF's `security-severity`. Source: CVSS v3.1 specification, section 5. */
export function scoreSeverity(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

/** Patterns with groups use up the stack on megabytes of text: whatever they are tried on is cut first. */
const MAX_ID = 200;
const MAX_QUOTE = 20_000;

/** All CVE ids in the one spelling, whatever the case. */
export const cvesOf = (value: unknown): string[] => [
  ...new Set(
    textsOf(value, Number.MAX_SAFE_INTEGER)
      .map((text) => text.slice(0, MAX_ID).trim().toUpperCase())
      .filter((text) => text.length <= 40 && /^CVE-\d{4}-\d{4,}$/.test(text)),
  ),
];

/** As many ids as a rule may have; where they are more, the description begins with how many are left out. */
export function namedCves(cves: readonly string[], description: string | undefined): NamedCves {
  const left = cves.length - MAX_CVES;
  const note = left > 0 ? `The report names ${left} more CVEs than the ${MAX_CVES} that are kept. ` : '';
  const words = `${note}${description ?? ''}`.trimEnd();
  return { cves: left > 0 ? cves.slice(0, MAX_CVES) : [...cves], ...(words === '' ? {} : { description: words }) };
}

interface NamedCves {
  readonly cves: string[];
  readonly description?: string;
}

/** `CWE-79`, `cwe-79`, `79` and 79 are `CWE-79`; 0 and -1 are how tools write none. */
export const cwesOf = (value: unknown): string[] => {
  const ids = textsOf(value, 1_000).map((text) => /^\s*(?:CWE-)?0*([1-9]\d{0,8})\b/i.exec(text.slice(0, MAX_ID))?.[1]);
  return [...new Set(ids.flatMap((id) => (id ? [`CWE-${id}`] : [])))].slice(0, 50);
};

export const referencesOf = (value: unknown): string[] => textsOf(value, 50);

/** A probability such as EPSS. */
export function shareOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && number >= 0 && number <= 1 ? number : undefined;
}

const VECTOR_VERSIONS: readonly (readonly [RegExp, Cvss['version']])[] = [
  [/^CVSS:4\.0\//i, '4.0'],
  [/^CVSS:3\.1\//i, '3.1'],
  [/^CVSS:3\.0\//i, '3.0'],
  [/^(CVSS2#|CVSS:2\.0\/)?\(?AV:[LAN]\/AC:[LMH]\/Au:/i, '2.0'],
];

/**
 * One CVSS entry, when there is a score in its range. The vector says its version better than the field around it.
 * @param version Used where the vector does not say it.
 */
export function cvssOf(score: unknown, vector: unknown, version: Cvss['version']): Cvss | undefined {
  const number = numberOf(score);
  // 0 without a vector is how Go writes a score that is not there.
  const text = textOf(vector);
  if (number === undefined || number < 0 || number > 10 || (number === 0 && text === undefined)) return undefined;
  const said = VECTOR_VERSIONS.find(([pattern]) => pattern.test(text ?? ''))?.[1];
  return { version: said ?? version, score: number, ...(text === undefined ? {} : { vector: text }) };
}

/** Different entries, at most six, newest version first: later ones would be cut. */
export function distinctCvss(entries: readonly (Cvss | undefined)[]): Cvss[] {
  const byKey = new Map<string, Cvss>();
  for (const entry of entries) {
    if (entry) byKey.set(`${entry.version} ${entry.score} ${entry.vector ?? ''}`, entry);
  }
  return [...byKey.values()].toSorted((a, b) => b.version.localeCompare(a.version)).slice(0, 6);
}

/** Long runs of letters and digits in text about a secret are taken for the secret; what is left says where it was. */
export const withoutSecretWords = (text: string): string =>
  text.slice(0, MAX_QUOTE).replace(/[\w+/=~.-]{12,}/g, (run) => {
    const isWordLike = /^[a-z]+(?:[._-][a-z]+)*$|^[A-Z]+(?:_[A-Z]+)*=?$/.test(run);
    return isWordLike ? run : `${run.slice(0, 2)}***`;
  });
