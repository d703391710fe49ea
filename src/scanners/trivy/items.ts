import type { z } from 'zod';
import type { Cvss, Occurrence } from '../../model/finding.ts';
import { defined, listOf, objectOf, textOf, wholeOf, wordIn, type JsonObject } from '../json-fields.ts';
import { nameTag, plainName, plainToken } from '../plain-name.ts';
import type { RuleInput } from '../rule-cache.ts';
import {
  cvesOf,
  cvssOf,
  cwesOf,
  distinctCvss,
  referencesOf,
  UNRATED,
  withoutSecretWords,
  type Rating,
} from '../rule-words.ts';
import { familyOf, trivyPlace, type Artifact, type ResultFacts } from './place.ts';

export interface TrivyItem {
  readonly rule: RuleInput;
  readonly occurrence: z.input<typeof Occurrence>;
}

export interface ItemContext {
  readonly artifact: Artifact;
  readonly result: ResultFacts;
}

const SEVERITIES: Readonly<Record<string, Rating['severity']>> = {
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
  CRITICAL: 'critical',
};

function ratingOf(item: JsonObject, source: string): Rating {
  const severity = wordIn(SEVERITIES, textOf(item['Severity'])?.toUpperCase() ?? '');
  return severity ? { severity, severity_source: source, severity_rated: true } : UNRATED;
}

const references = (item: JsonObject): string[] =>
  referencesOf(
    [item['PrimaryURL'], ...listOf(item['References']), item['Link']].filter((url) => textOf(url) !== undefined),
  );

/** A vulnerability of a package. */
export function vulnerability(item: JsonObject, { artifact, result }: ItemContext): TrivyItem | undefined {
  const id = textOf(item['VulnerabilityID']);
  if (id === undefined) return undefined;
  const vendor = textOf(item['SeveritySource']);
  const name = textOf(item['PkgName']);
  const fixed = textOf(item['FixedVersion']);
  const status = textOf(item['Status']);
  return {
    rule: {
      rule_id: id,
      title: textOf(item['Title']) ?? id,
      ...ratingOf(item, vendor === undefined ? 'trivy' : `trivy: ${vendor}`),
      ...defined({
        rule_family: familyOf(result),
        description: textOf(item['Description']),
        solution: fixed === undefined ? undefined : `Update ${name ?? 'the package'}: fixed in ${fixed}.`,
      }),
      references: references(item),
      cvss: cvssScores(objectOf(item['CVSS']), vendor),
      cves: cvesOf([id, ...listOf(item['VendorIDs'])]),
      cwes: cwesOf(item['CweIDs']),
    },
    occurrence: {
      location: {
        ...trivyPlace(artifact, result, item),
        ...defined({ package: name, version: textOf(item['InstalledVersion']), fixed_version: fixed }),
      },
      ...(status === undefined || status === 'fixed' || status === 'affected'
        ? {}
        : { report_state: `status: ${plainName(status) ?? 'unknown'}` }),
    },
  };
}

/** Scores by vendor: of the vendor that gave the severity first, then NVD's, then the rest by name. */
function cvssScores(byVendor: JsonObject, vendor: string | undefined): Cvss[] {
  const rank = (name: string): number => (name === vendor ? 0 : name === 'nvd' ? 1 : 2);
  const vendors = Object.entries(byVendor).toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return distinctCvss(
    vendors
      .map(([, value]) => objectOf(value))
      .flatMap((scores) => [
        cvssOf(scores['V40Score'], scores['V40Vector'], '4.0'),
        cvssOf(scores['V3Score'], scores['V3Vector'], '3.1'),
        cvssOf(scores['V2Score'], scores['V2Vector'], '2.0'),
      ]),
  );
}

/** Whether a misconfiguration is one: checks that passed and exceptions are listed beside failures. */
export const isFailure = (item: JsonObject): boolean =>
  !['PASS', 'EXCEPTION'].includes(textOf(item['Status'])?.toUpperCase() ?? '');

export function misconfiguration(item: JsonObject, { artifact, result }: ItemContext): TrivyItem | undefined {
  const id = textOf(item['ID']) ?? textOf(item['AVDID']);
  if (id === undefined) return undefined;
  const cause = objectOf(item['CauseMetadata']);
  // Name of the resource inside the file: one file often has several with the same fault.
  const resource = textOf(cause['Resource']);
  const isOdd = resource !== undefined && plainToken(resource) === undefined;
  const code = listOf(objectOf(cause['Code'])['Lines']).slice(0, 50);
  return {
    rule: {
      rule_id: id,
      title: textOf(item['Title']) ?? id,
      ...ratingOf(item, 'trivy check'),
      ...defined({
        rule_family: familyOf(result),
        description: textOf(item['Description']),
        solution: textOf(item['Resolution']),
      }),
      references: references(item),
    },
    occurrence: {
      location: { ...trivyPlace(artifact, result, item), ...defined({ line: wholeOf(cause['StartLine'], 1) }) },
      untrusted: defined({
        output: linesOf([textOf(item['Message']), isOdd ? `resource: ${resource}` : undefined]),
        response: code.map((line) => textOf(objectOf(line)['Content']) ?? '').join('\n') || undefined,
      }),
      ...defined({ discriminator: isOdd ? nameTag(resource) : resource }),
    },
  };
}

/** A secret in a file. Trivy masks what it found; older versions did not, so it is masked again. */
export function secret(item: JsonObject, { artifact, result }: ItemContext): TrivyItem {
  const id = textOf(item['RuleID']) ?? 'unknown';
  const match = textOf(item['Match']);
  return {
    rule: {
      rule_id: id,
      title: textOf(item['Title']) ?? (id === 'unknown' ? 'A secret' : id),
      ...ratingOf(item, 'trivy rule'),
      ...defined({
        rule_family: familyOf(result),
        description:
          textOf(item['Category']) && `A secret of the category ${textOf(item['Category'])} is written in a file.`,
      }),
      solution: 'Revoke the secret, then take it out of the file and of its history.',
    },
    occurrence: {
      location: { ...trivyPlace(artifact, result, item), ...defined({ line: wholeOf(item['StartLine'], 1) }) },
      untrusted: defined({ output: match === undefined ? undefined : withoutSecretWords(match) }),
    },
  };
}

const linesOf = (lines: readonly (string | undefined)[]): string | undefined =>
  lines.filter((line) => line !== undefined).join('\n') || undefined;

/** Of an SPDX expression: `MIT`, `Apache-2.0`, `GPL-2.0-or-later`. */
const LICENCE_PART = /^\(*(?:[A-Z][A-Z0-9]{0,11}|(?=[^\s]*\d)[\w.+-]{1,64})\)*$/;
const MOST_PARTS = 9;

/** An SPDX id or expression. A package may call its licence anything else. */
function isLicenceName(name: string): boolean {
  if (plainName(name) !== undefined) return true;
  const parts = name.slice(0, 300).split(' ');
  return (
    name.length <= 300 &&
    parts.length <= MOST_PARTS &&
    parts.every((part, at) => (at % 2 === 1 ? ['AND', 'OR', 'WITH'].includes(part) : LICENCE_PART.test(part)))
  );
}

export function licence(item: JsonObject, { artifact, result }: ItemContext): TrivyItem | undefined {
  const said = textOf(item['Name']);
  // A package may state an empty one.
  if (said === undefined && item['Name'] !== '') return undefined;
  const name = said ?? 'unknown';
  const category = plainName(textOf(item['Category']) ?? '');
  const isOdd = !isLicenceName(name);
  const shown = isOdd ? `unusual-name-${nameTag(name)}` : name;
  return {
    rule: {
      rule_id: `license:${shown}`,
      title: `License ${shown}${category === undefined ? '' : ` (${category})`}`,
      ...ratingOf(item, 'trivy license category'),
      ...defined({ rule_family: familyOf(result) }),
      references: references(item),
    },
    occurrence: {
      location: { ...trivyPlace(artifact, result, item), ...defined({ package: textOf(item['PkgName']) }) },
      untrusted: defined({ output: isOdd ? `License: ${name}` : undefined }),
    },
  };
}
