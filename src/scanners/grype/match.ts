import type { z } from 'zod';
import type { Cvss, Occurrence } from '../../model/finding.ts';
import { defined, isObject, listOf, objectOf, textOf, textsOf, wordIn, type JsonObject } from '../json-fields.ts';
import type { RuleInput } from '../rule-cache.ts';
import {
  cvesOf,
  cvssOf,
  cwesOf,
  distinctCvss,
  namedCves,
  referencesOf,
  shareOf,
  UNRATED,
  type Rating,
} from '../rule-words.ts';

/** What was scanned: an image by its name, or a folder, file or package list by its path. */
export interface GrypeSource {
  readonly name: string | undefined;
  readonly isImage: boolean;
}

export interface GrypeMatch {
  readonly rule: RuleInput;
  readonly occurrence: z.input<typeof Occurrence>;
}

/** `negligible` is a distribution's word that it will not act on it. */
const SEVERITIES: Readonly<Record<string, Rating['severity']>> = {
  negligible: 'info',
  low: 'low',
  medium: 'medium',
  // Red Hat's words, in reports that are not of Grype's own database.
  moderate: 'medium',
  important: 'high',
  high: 'high',
  critical: 'critical',
};

/** One match: a vulnerability of a package. Undefined when it names neither. */
export function grypeMatch(match: JsonObject, source: GrypeSource): GrypeMatch | undefined {
  const vulnerability = objectOf(match['vulnerability']);
  const artifact = objectOf(match['artifact']);
  const id = textOf(vulnerability['id']);
  const name = textOf(artifact['name']);
  if (id === undefined || name === undefined) return undefined;
  const fix = objectOf(vulnerability['fix']);
  // The first versions wrote `fixedInVersion`, `links`, `cvssV2` and `cvssV3`.
  const fixed = textsOf(fix['versions'] ?? vulnerability['fixedInVersion'], 20).join(', ') || undefined;
  const state = textOf(fix['state']);
  return {
    rule: ruleOf(match, id, name, fixed),
    occurrence: {
      location: {
        ...placeOf(artifact, source),
        ...defined({ package: name, version: textOf(artifact['version']), fixed_version: fixed }),
      },
      ...(state === 'wont-fix' ? { report_state: 'fix state: wont-fix' } : {}),
    },
  };
}

function ruleOf(match: JsonObject, id: string, name: string, fixed: string | undefined): RuleInput {
  const own = objectOf(match['vulnerability']);
  // The advisory of a distribution or language refers to the CVEs it is about.
  const related = [own, ...listOf(match['relatedVulnerabilities']).filter(isObject)];
  const all = related.slice(0, 50);
  const description = all.map((one) => textOf(one['description'])).find((text) => text !== undefined);
  const each = (key: string): unknown[] => all.flatMap((vulnerability) => listOf(vulnerability[key])).slice(0, 500);
  return {
    rule_id: id,
    title: `${id} in ${name}`,
    ...ratingOf(own),
    ...namedCves(cvesOf(related.map((vulnerability) => vulnerability['id'])), description),
    ...defined({
      rule_family: textOf(objectOf(match['artifact'])['type']),
      confidence: isByNameOnly(match) ? ('tentative' as const) : undefined,
      solution: fixed === undefined ? undefined : `Update ${name}: fixed in ${fixed}.`,
      epss: highest(each('epss').map((entry) => shareOf(isObject(entry) ? entry['epss'] : entry))),
    }),
    references: referencesOf([
      ...each('dataSource'),
      ...each('urls'),
      ...each('links'),
      ...each('advisories').map((advisory) => objectOf(advisory)['link']),
    ]),
    cvss: distinctCvss([
      ...each('cvss').map(scoreOf),
      ...each('cvssV3').map((entry) => oldScoreOf(entry, '3.1')),
      ...each('cvssV2').map((entry) => oldScoreOf(entry, '2.0')),
    ]),
    cwes: cwesOf(each('cwes').map((entry) => (isObject(entry) ? entry['cwe'] : entry))),
    kev: each('knownExploited').length > 0,
  };
}

function ratingOf(vulnerability: JsonObject): Rating {
  const severity = wordIn(SEVERITIES, textOf(vulnerability['severity'])?.toLowerCase() ?? '');
  const namespace = textOf(vulnerability['namespace']);
  if (!severity) return UNRATED;
  return { severity, severity_source: namespace === undefined ? 'grype' : `grype: ${namespace}`, severity_rated: true };
}

/** Matching by a CPE compares product names; matching by the package's own ecosystem does not guess. */
function isByNameOnly(match: JsonObject): boolean {
  const kinds = listOf(match['matchDetails']).map((detail) => textOf(objectOf(detail)['type']));
  return kinds.length > 0 && kinds.every((kind) => kind === 'cpe-match');
}

const VERSIONS: readonly Cvss['version'][] = ['2.0', '3.0', '3.1', '4.0'];

function scoreOf(entry: unknown): Cvss | undefined {
  const { metrics, vector, version } = objectOf(entry);
  const said = VERSIONS.find((known) => known === textOf(version) || known === `${textOf(version)}.0`);
  return cvssOf(objectOf(metrics)['baseScore'], vector, said ?? '3.1');
}

function oldScoreOf(entry: unknown, version: Cvss['version']): Cvss | undefined {
  const { baseScore, vector } = objectOf(entry);
  return cvssOf(baseScore, vector, version);
}

function highest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** The first location is where the package is; more of them are links to it, or layers that change it. */
function placeOf(artifact: JsonObject, { name, isImage }: GrypeSource): { image?: string; file?: string } {
  const locations = listOf(artifact['locations']).map((entry) => textOf(isObject(entry) ? entry['path'] : entry));
  const path = locations.find((location) => location !== undefined);
  return isImage ? defined({ image: name, file: path }) : defined({ file: path ?? name });
}
