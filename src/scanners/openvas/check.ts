import type { ParsedFindingInput } from '../../model/finding.ts';
import { namedCves } from '../rule-words.ts';
import { nameTag, plainName } from '../plain-name.ts';
import { childOf, childrenOf, oneLine, textOf, type XmlNode } from '../xml-tree.ts';
import { cvssOf } from './rating.ts';

/** What the feed says of one check (NVT), beyond the severity of a result. */
export type CheckFacts = Pick<
  ParsedFindingInput,
  'rule_id' | 'rule_family' | 'title' | 'description' | 'solution' | 'references' | 'cvss' | 'cves' | 'cwes' | 'epss'
>;

const MAX = { references: 50, cwes: 50 } as const;

export function checkFacts(result: XmlNode): CheckFacts {
  const nvt = childOf(result, 'nvt');
  const tags = tagsOf(textOf(nvt, 'tags'));
  const title = textOf(nvt, 'name') ?? textOf(result, 'name') ?? 'A result without a name';
  const family = textOf(nvt, 'family');
  const description = [tags.get('summary'), tags.get('insight'), tags.get('impact')].filter(Boolean).join(' ');
  const solution = textOf(nvt, 'solution') ?? tags.get('solution');
  const epss = epssOf(nvt);
  const refs = refsOf(nvt);
  const cves = unique([...refs, { type: 'cve', id: nvt?.attributes['oid'] ?? '' }].flatMap(cveOf));
  return {
    rule_id: ruleIdOf(nvt, title),
    title: oneLine(title),
    ...(family === undefined ? {} : { rule_family: oneLine(family) }),
    ...namedCves(cves, description === '' ? undefined : description),
    ...(solution === undefined || solution === '' ? {} : { solution: oneLine(solution) }),
    ...(epss === undefined ? {} : { epss }),
    references: unique(refs.flatMap(referenceOf)).slice(0, MAX.references),
    cvss: cvssOf(nvt, tags.get('cvss_base_vector')),
    cwes: unique(refs.flatMap(cweOf)).slice(0, MAX.cwes),
  };
}

/** `0` and nothing stand for results of the scanner itself, told apart by their names alone. */
function ruleIdOf(nvt: XmlNode | undefined, title: string): string {
  const oid = nvt?.attributes['oid'] ?? '';
  return oid === '' || oid === '0' ? `openvas:${nameTag(title)}` : (plainName(oid) ?? `openvas:${nameTag(oid)}`);
}

/** `summary=...|insight=...`: a bar also stands inside texts, so only one before `name=` divides. */
function tagsOf(text = ''): ReadonlyMap<string, string> {
  const tags = text.split(/\|(?=\s*[A-Za-z_]{1,40}=)/).flatMap((tag): [string, string][] => {
    const at = tag.indexOf('=');
    const value = oneLine(tag.slice(at + 1));
    return at === -1 || value === '' || value === 'NOTAG' ? [] : [[tag.slice(0, at).trim(), value]];
  });
  return new Map(tags);
}

interface Ref {
  readonly type: string;
  readonly id: string;
}

/** `<refs>` since GMP 9; before that `<cve>`, `<bid>`, `<xref>` as lists in text and `<cert>` with elements. */
function refsOf(nvt: XmlNode | undefined): readonly Ref[] {
  const elements = [...childrenOf(childOf(nvt, 'refs'), 'ref'), ...childrenOf(childOf(nvt, 'cert'), 'cert_ref')];
  const listed = ['cve', 'bid', 'xref'].flatMap((type) =>
    (textOf(nvt, type) ?? '').split(/,\s*/).map((id) => ({ type, id: id.trim() })),
  );
  return [
    ...elements.map(({ attributes }) => ({
      type: (attributes['type'] ?? '').toLowerCase(),
      id: attributes['id'] ?? '',
    })),
    ...listed,
  ].filter(({ id }) => id !== '' && !/^NO(CVE|BID|XREF)$/.test(id));
}

const cveOf = ({ id }: Ref): readonly string[] => {
  const cve = /^CVE-\d{4}-\d{4,19}$/i.exec(id)?.[0];
  return cve === undefined ? [] : [cve.toUpperCase()];
};

const cweOf = ({ type, id }: Ref): readonly string[] => {
  const number = /^(?:CWE-|CWE:)?0*(\d{1,6})$/i.exec(id)?.[1];
  return number !== undefined && (type === 'cwe' || /^cwe/i.test(id)) ? [`CWE-${number}`] : [];
};

/** Links as they are; other catalogues by their name. CVEs and CWEs have fields of their own. */
function referenceOf(ref: Ref): readonly string[] {
  if (cveOf(ref).length > 0 || cweOf(ref).length > 0) return [];
  const link = /^(?:URL:)?(https?:\/\/\S+)$/i.exec(ref.id)?.[1];
  if (link !== undefined) return [link];
  return [ref.type === '' || ref.type === 'xref' || ref.type === 'url' ? ref.id : `${ref.type}: ${ref.id}`];
}

/** Of several CVEs the report names the one most likely to be exploited, and the most severe. */
function epssOf(nvt: XmlNode | undefined): number | undefined {
  const epss = childOf(nvt, 'epss');
  const texts = [childOf(epss, 'max_epss'), epss, childOf(epss, 'max_severity')].map((node) => textOf(node, 'score'));
  return texts
    .filter((text) => text !== undefined)
    .map(Number)
    .find((score) => score >= 0 && score <= 1);
}

const unique = (items: readonly string[]): string[] => [...new Set(items)];
