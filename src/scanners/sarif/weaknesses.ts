import { listOf, objectOf, textOf, textsOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { cvesOf, cwesOf } from '../rule-words.ts';
import type { SarifRule } from './rules.ts';

/** A taxonomy of a run: names of its entries by index. */
export interface Taxonomy {
  name: string | undefined;
  guid: string | undefined;
  readonly ids: (string | undefined)[];
}

/** CWE ids of a rule and its result: from taxonomies, tags (`external/cwe/cwe-079`, `CWE-79: ...`) and properties. */
export function cwesIn(result: JsonObject, rule: SarifRule | undefined, taxonomies: readonly Taxonomy[]): string[] {
  const references = [
    ...listOf(result['taxa']).slice(0, 200),
    ...(rule?.relationships ?? []).map((relationship) => objectOf(relationship)['target']),
  ];
  const tags = [rule?.properties, objectOf(result['properties'])].flatMap((properties) => [
    ...textsOf(properties?.['tags'], 5_000).flatMap(
      (tag) => /\bcwe[-_:/ ]*0*\d+/i.exec(tag.slice(0, 200))?.[0].replace(/^\D+/, '') ?? [],
    ),
    ...textsOf(properties?.['cwe'], 50),
  ]);
  return cwesOf([...references.flatMap((reference) => cweOf(objectOf(reference), taxonomies) ?? []), ...tags]);
}

function cweOf(reference: JsonObject, taxonomies: readonly Taxonomy[]): string | undefined {
  const component = objectOf(reference['toolComponent']);
  const taxonomy = taxonomyOf(component, taxonomies);
  const id = textOf(reference['id']) ?? taxonomy?.ids[wholeOf(reference['index'], 0) ?? -1];
  const isCwe = /^cwe/i.test(id ?? '') || /^cwe$/i.test(textOf(component['name']) ?? taxonomy?.name ?? '');
  return isCwe ? id : undefined;
}

function taxonomyOf(component: JsonObject, taxonomies: readonly Taxonomy[]): Taxonomy | undefined {
  const { name, guid } = { name: textOf(component['name']), guid: textOf(component['guid']) };
  const index = wholeOf(component['index'], 0);
  return (
    taxonomies.find((one) => (guid !== undefined && one.guid === guid) || (name !== undefined && one.name === name)) ??
    (index === undefined ? undefined : taxonomies[index])
  );
}

/** Whether a rule points to a weakness only by index, into a taxonomy that may still come. */
export const needsTaxonomies = ({ relationships }: SarifRule): boolean =>
  relationships.some((relationship) => {
    const target = objectOf(objectOf(relationship)['target']);
    return textOf(target['id']) === undefined || objectOf(target['toolComponent'])['name'] === undefined;
  });

/** CVE ids that a result names by its rule: package scanners use them as rule ids. */
export function cvesIn(ruleId: string | undefined, rule: SarifRule | undefined): string[] {
  const words = [
    ruleId,
    rule?.id,
    rule?.name,
    ...textsOf(rule?.properties['tags'], 100_000),
    ...textsOf(rule?.properties['cve'], 100_000),
  ];
  return cvesOf([...new Set(words.flatMap((word) => word?.slice(0, 1_000).match(/\bCVE-\d{4}-\d{4,}\b/gi) ?? []))]);
}
