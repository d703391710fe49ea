import { RuleFacts } from '../../model/finding.ts';
import { nameTag, plainName } from '../plain-name.ts';
import { all, first, isCompliance, type RawItem } from './raw-item.ts';
import { cvssOf, hasExploit, isKnownExploited, ratingOf, scoreUpTo } from './scores.ts';

/** Nessus writes open ports, whoever found them, as items of this plugin. */
const OPEN_PORT = '0';

/** What all findings of one check share: everything of an item but its place and what the host wrote. */
export function ruleOf(item: RawItem): RuleFacts {
  const epss = scoreUpTo(1, first(item, 'epss_score'));
  const vpr = scoreUpTo(10, first(item, 'vpr_score'));
  const family = familyOf(item);
  return RuleFacts.parse({
    ...(family ? { rule_family: family } : {}),
    ...ratingOf(item),
    confidence: 'firm',
    ...(isCompliance(item) ? auditWords(item) : pluginWords(item)),
    cvss: cvssOf(item),
    cves: cvesOf(item),
    cwes: cwesOf(item),
    ...(epss === undefined ? {} : { epss }),
    ...(vpr === undefined ? {} : { vpr }),
    kev: isKnownExploited(item),
    exploit_available: hasExploit(item),
  });
}

type Words = Pick<RuleFacts, 'rule_id' | 'title' | 'references'> & { description?: string; solution?: string };

const pluginId = ({ attributes }: RawItem): string => attributes['pluginID']?.trim() || 'unknown';

function familyOf(item: RawItem): string {
  const family = item.attributes['pluginFamily']?.trim() ?? '';
  return family === '' && pluginId(item) === OPEN_PORT ? 'Port scanners' : family;
}

function pluginWords(item: RawItem): Words {
  const id = pluginId(item);
  const name = (item.attributes['pluginName'] || first(item, 'plugin_name') || '').trim();
  return {
    rule_id: `nessus:${id}`,
    title: name || (id === OPEN_PORT ? 'Open port' : `Nessus plugin ${id}`),
    ...textOf('description', [first(item, 'synopsis'), first(item, 'description')]),
    ...textOf('solution', [first(item, 'solution')]),
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
    rule_id: `nessus:${pluginId(item)}:${check}`,
    title: name || `Audit check ${check}`,
    ...textOf('description', [
      policy && `Expected: ${policy}`,
      audit && `Audit file: ${audit}`,
      first(item, 'compliance-info'),
    ]),
    ...textOf('solution', [first(item, 'compliance-solution'), first(item, 'solution')]),
    references: referencesOf([
      ...lines(item, 'compliance-see-also'),
      ...all(item, 'compliance-reference').flatMap((text) => text.split(',')),
    ]),
  };
}

/** `n/a` is how Nessus says that there is none. */
function textOf(key: 'description' | 'solution', texts: readonly (string | undefined)[]): Partial<Words> {
  const said = texts.map((text) => text?.trim() ?? '').filter((text) => text !== '' && !/^n\/a\.?$/i.test(text));
  return said.length === 0 ? {} : { [key]: said.join(' ') };
}

const lines = (item: RawItem, name: string): string[] => all(item, name).flatMap((text) => text.split('\n'));

/** Weaknesses have fields of their own. */
const isReference = (xref: string): boolean => !/^\s*(?:CWE|CVE)[:-]/i.test(xref);

const MOST_REFERENCES = 50;
const MOST_CVES = 200;
const MOST_CWES = 50;

const distinct = (texts: readonly string[], most: number): string[] =>
  [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))].slice(0, most);

const referencesOf = (texts: readonly string[]): string[] => distinct(texts, MOST_REFERENCES);

const words = (item: RawItem, name: string): string[] => all(item, name).flatMap((text) => text.split(/[\s,;]+/));

const cvesOf = (item: RawItem): string[] =>
  distinct(
    words(item, 'cve')
      .map((word) => word.toUpperCase())
      .filter((word) => /^CVE-\d{4}-\d{4,}$/.test(word)),
    MOST_CVES,
  );

function cwesOf(item: RawItem): string[] {
  const own = words(item, 'cwe').flatMap((word) => /^(?:CWE-)?(\d{1,7})$/i.exec(word)?.[1] ?? []);
  const crossed = words(item, 'xref').flatMap((word) => /^CWE[:-](\d{1,7})$/i.exec(word)?.[1] ?? []);
  return distinct(
    [...own, ...crossed].map((number) => `CWE-${Number(number)}`),
    MOST_CWES,
  );
}
