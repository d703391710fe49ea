import type { RuleFacts } from '../../model/finding.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { nameTag, plainName } from '../plain-name.ts';
import { namedCves } from '../rule-words.ts';
import { all, first, isCompliance, type RawItem } from './raw-item.ts';
import { cvssOf, hasExploit, isKnownExploited, ratingOf, scoreUpTo } from './scores.ts';

/** Nessus writes open ports, whoever found them, as items of this plugin. */
const OPEN_PORT = '0';

/**
 * What all findings of one check share: everything of an item but its place and what the host wrote. Equal to what
 * `RuleFacts.parse` makes of it, without the walk through the schema: a report may have as many rules as findings.
 */
export function ruleOf(item: RawItem): RuleFacts {
  const words = isCompliance(item) ? auditWords(item) : pluginWords(item);
  const rating = ratingOf(item);
  const named = namedCves(cvesOf(item), words.description);
  const rule: RuleFacts = {
    rule_id: cleanLine(words.id, 200),
    title: cleanLine(words.title, 300),
    severity: rating.severity,
    severity_source: rating.severity_source,
    severity_rated: rating.severity_rated,
    confidence: 'firm',
    references: words.references,
    cvss: cvssOf(item),
    cves: named.cves,
    cwes: cwesOf(item),
    kev: isKnownExploited(item),
    exploit_available: hasExploit(item),
  };
  const family = familyOf(item);
  if (family !== '') rule.rule_family = cleanLine(family, 100);
  if (named.description !== undefined) rule.description = cleanLine(named.description, 4_000);
  if (words.solution !== '') rule.solution = cleanLine(words.solution, 2_000);
  const epss = scoreUpTo(1, first(item, 'epss_score'));
  if (epss !== undefined) rule.epss = epss;
  const vpr = scoreUpTo(10, first(item, 'vpr_score'));
  if (vpr !== undefined) rule.vpr = vpr;
  return rule;
}

interface Words {
  readonly id: string;
  readonly title: string;
  readonly references: string[];
  /** Empty: none. */
  readonly description: string;
  readonly solution: string;
}

const pluginId = ({ attributes }: RawItem): string => attributes['pluginID']?.trim() || 'unknown';

function familyOf(item: RawItem): string {
  const family = item.attributes['pluginFamily']?.trim() ?? '';
  return family === '' && pluginId(item) === OPEN_PORT ? 'Port scanners' : family;
}

function pluginWords(item: RawItem): Words {
  const id = pluginId(item);
  const name = (item.attributes['pluginName'] || first(item, 'plugin_name') || '').trim();
  return {
    id: `nessus:${id}`,
    title: name || (id === OPEN_PORT ? 'Open port' : `Nessus plugin ${id}`),
    description: joined([first(item, 'synopsis'), first(item, 'description')]),
    solution: joined([first(item, 'solution')]),
    references: referencesOf([...lines(item, 'see_also'), ...lines(item, 'xref').filter(isReference)]),
  };
}

/**
 * An audit item is a check of its own: one plugin runs whole audit files. The check id is a hash that Nessus makes of the
 * check; without it the name tells one check from another.
 */
function auditWords(item: RawItem): Words {
  const name = first(item, 'compliance-check-name')?.trim() ?? '';
  const check = plainName(first(item, 'compliance-check-id')?.trim() ?? '') ?? nameTag(name);
  const policy = first(item, 'compliance-policy-value')?.trim();
  const audit = first(item, 'compliance-audit-file')?.trim();
  return {
    id: `nessus:${pluginId(item)}:${check}`,
    title: name || `Audit check ${check}`,
    description: joined([
      policy && `Expected: ${policy}`,
      audit && `Audit file: ${audit}`,
      first(item, 'compliance-info'),
    ]),
    solution: joined([first(item, 'compliance-solution'), first(item, 'solution')]),
    references: referencesOf([
      ...lines(item, 'compliance-see-also'),
      ...all(item, 'compliance-reference').flatMap((text) => text.split(',')),
    ]),
  };
}

/** `n/a` is how Nessus says that there is none. */
const isSaid = (text: string): boolean => text !== '' && !/^n\/a\.?$/i.test(text);

const joined = (texts: readonly (string | undefined)[]): string =>
  texts
    .map((text) => text?.trim() ?? '')
    .filter(isSaid)
    .join(' ');

/** One text per line; nearly every text has one. */
const lines = (item: RawItem, name: string): readonly string[] => {
  const texts = all(item, name);
  return texts.some((text) => text.includes('\n')) ? texts.flatMap((text) => text.split('\n')) : texts;
};

/** Weaknesses have fields of their own. */
const isReference = (xref: string): boolean => !/^\s*(?:CWE|CVE)[:-]/i.test(xref);

const MOST_REFERENCES = 50;
const MOST_CWES = 50;

const distinct = (texts: readonly string[], most: number): string[] =>
  texts.length < 2 ? [...texts] : [...new Set(texts)].slice(0, most);

const referencesOf = (texts: readonly string[]): string[] =>
  distinct(
    texts.map((text) => cleanLine(text, 500)).filter((text) => text !== ''),
    MOST_REFERENCES,
  );

/** What a pattern with one group finds in the words of some texts. */
const found = (texts: readonly string[], pattern: RegExp): string[] =>
  texts.flatMap((text) => {
    const whole = pattern.exec(text)?.[1];
    if (whole !== undefined) return [whole];
    return text.split(/[\s,;]+/).flatMap((word) => pattern.exec(word)?.[1] ?? []);
  });

const cvesOf = (item: RawItem): string[] =>
  distinct(
    found(all(item, 'cve'), /^(CVE-\d{4}-\d{4,})$/i).map((cve) => cve.toUpperCase()),
    Number.MAX_SAFE_INTEGER,
  );

const cwesOf = (item: RawItem): string[] =>
  distinct(
    [
      ...found(all(item, 'cwe'), /^(?:CWE-)?(\d{1,7})$/i),
      ...found(
        all(item, 'xref').filter((text) => text.includes('CWE')),
        /^CWE[:-](\d{1,7})$/,
      ),
    ].map((number) => `CWE-${Number(number)}`),
    MOST_CWES,
  );
