import type { RuleFacts } from '../../model/finding.ts';
import { cleanLine, cleanPlainLine } from '../../model/untrusted.ts';
import { nameTag, plainName } from '../plain-name.ts';
import { namedCves } from '../rule-words.ts';
import { all, CHILD, first, isCompliance, type RawItem } from './raw-item.ts';
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
  const clean = item.isPlain ? cleanPlainLine : cleanLine;
  const rule: RuleFacts = {
    rule_id: clean(words.id, 200),
    title: clean(words.title, 300),
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
  if (family !== '') rule.rule_family = clean(family, 100);
  if (named.description !== undefined) rule.description = clean(named.description, 4_000);
  if (words.solution !== '') rule.solution = clean(words.solution, 2_000);
  const epss = scoreUpTo(1, first(item, CHILD.epss_score));
  if (epss !== undefined) rule.epss = epss;
  const vpr = scoreUpTo(10, first(item, CHILD.vpr_score));
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
  const name = (item.attributes['pluginName'] || first(item, CHILD.plugin_name) || '').trim();
  return {
    id: `nessus:${id}`,
    title: name || (id === OPEN_PORT ? 'Open port' : `Nessus plugin ${id}`),
    description: joined(first(item, CHILD.synopsis), first(item, CHILD.description)),
    solution: joined(first(item, CHILD.solution)),
    references: referencesOf(item, lines(item, CHILD.see_also), lines(item, CHILD.xref).filter(isReference)),
  };
}

/**
 * An audit item is a check of its own: one plugin runs whole audit files. The check id is a hash that Nessus makes of the
 * check; without it the name tells one check from another.
 */
function auditWords(item: RawItem): Words {
  const name = first(item, CHILD['compliance-check-name'])?.trim() ?? '';
  const check = plainName(first(item, CHILD['compliance-check-id'])?.trim() ?? '') ?? nameTag(name);
  const policy = first(item, CHILD['compliance-policy-value'])?.trim();
  const audit = first(item, CHILD['compliance-audit-file'])?.trim();
  return {
    id: `nessus:${pluginId(item)}:${check}`,
    title: name || `Audit check ${check}`,
    description: joined(
      policy && `Expected: ${policy}`,
      audit && `Audit file: ${audit}`,
      first(item, CHILD['compliance-info']),
    ),
    solution: joined(first(item, CHILD['compliance-solution']), first(item, CHILD.solution)),
    references: referencesOf(
      item,
      lines(item, CHILD['compliance-see-also']),
      all(item, CHILD['compliance-reference']).flatMap((text) => text.split(',')),
    ),
  };
}

const NOT_APPLICABLE = /^n\/a\.?$/i;

/** `n/a` is how Nessus says that there is none. */
const isSaid = (text: string): boolean => text !== '' && (text.length > 4 || !NOT_APPLICABLE.test(text));

function joined(...texts: readonly (string | undefined)[]): string {
  let said = '';
  for (const text of texts) {
    const trimmed = text?.trim() ?? '';
    if (isSaid(trimmed)) said = said === '' ? trimmed : `${said} ${trimmed}`;
  }
  return said;
}

/** One text per line; most texts have one. */
function lines(item: RawItem, child: number): readonly string[] {
  const texts = all(item, child);
  if (!texts.some((text) => text.includes('\n'))) return texts;
  const found: string[] = [];
  for (const text of texts) {
    let from = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
    found.push(text.slice(from));
  }
  return found;
}

const WEAKNESS = /^\s*(?:CWE|CVE)[:-]/i;

/** Weaknesses have fields of their own. */
const isReference = (xref: string): boolean => !WEAKNESS.test(xref);

const MOST_REFERENCES = 50;
const MOST_CWES = 50;

/** So few are compared with each other rather than put into a set. */
const FEW = 8;

function distinct(texts: readonly string[], most: number): string[] {
  if (texts.length > FEW) return [...new Set(texts)].slice(0, most);
  const found: string[] = [];
  for (const text of texts) if (!found.includes(text)) found.push(text);
  return found;
}

function referencesOf(item: RawItem, ...groups: readonly (readonly string[])[]): string[] {
  const clean = item.isPlain ? cleanPlainLine : cleanLine;
  const references: string[] = [];
  for (const texts of groups) {
    for (const text of texts) {
      const reference = clean(text, 500);
      if (reference !== '') references.push(reference);
    }
  }
  return distinct(references, MOST_REFERENCES);
}

/** What a pattern with one group finds in a text as a whole, else in its words. */
function found(text: string, pattern: RegExp): readonly string[] {
  const whole = pattern.exec(text)?.[1];
  return whole === undefined ? text.split(/[\s,;]+/).flatMap((word) => pattern.exec(word)?.[1] ?? []) : [whole];
}

const USUAL_CVE = /^CVE-\d{4}-\d{4,}$/;
const CVE = /^(CVE-\d{4}-\d{4,})$/i;

function cvesOf(item: RawItem): string[] {
  const cves: string[] = [];
  for (const text of all(item, CHILD.cve)) {
    if (USUAL_CVE.test(text)) cves.push(text);
    else for (const cve of found(text, CVE)) cves.push(cve.toUpperCase());
  }
  return distinct(cves, Number.MAX_SAFE_INTEGER);
}

const CWE = /^(?:CWE-)?(\d{1,7})$/i;
const USUAL_CWE_REFERENCE = /^CWE:\d{1,7}$/;
const CWE_REFERENCE = /^CWE[:-](\d{1,7})$/;

function cwesOf(item: RawItem): string[] {
  const cwes: string[] = [];
  for (const text of all(item, CHILD.cwe)) addCwes(cwes, found(text, CWE));
  for (const text of all(item, CHILD.xref)) {
    if (!text.includes('CWE')) continue;
    addCwes(cwes, USUAL_CWE_REFERENCE.test(text) ? [text.slice(4)] : found(text, CWE_REFERENCE));
  }
  return distinct(cwes, MOST_CWES);
}

function addCwes(cwes: string[], numbers: readonly string[]): void {
  for (const number of numbers) cwes.push(`CWE-${Number(number)}`);
}
