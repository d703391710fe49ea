import { defined, listOf, objectOf, textOf, textsOf, wordIn, type JsonObject } from '../json-fields.ts';
import type { RuleInput } from '../rule-cache.ts';
import { cvesOf, cvssOf, cwesOf, distinctCvss, namedCves, shareOf, UNRATED, type Rating } from '../rule-words.ts';

const SEVERITIES: Readonly<Record<string, Rating['severity']>> = {
  info: 'info',
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
};

/**
 * Facts of a template out of the `info` of a result. Lists are single texts in old versions, one entry per line, and
 * `null` where there is none.
 * @param type `http`, `dns`, ...: the protocol of the template.
 */
export function nucleiRule(templateId: string, type: string | undefined, info: JsonObject): RuleInput {
  const about = objectOf(info['classification']);
  const named = cvesOf(idsOf(about['cve-id']));
  const impact = textOf(info['impact']);
  const words = [textOf(info['description']), impact && `Impact: ${impact}`].filter(Boolean).join(' ') || undefined;
  return {
    rule_id: templateId,
    title: textOf(info['name']) ?? templateId,
    ...ratingOf(info['severity']),
    ...namedCves(named.length > 0 ? named : cvesOf(templateId), words),
    ...defined({
      rule_family: type,
      solution: textOf(info['remediation']),
      epss: shareOf(about['epss-score']),
    }),
    references: linesOf(info['reference'] ?? info['references']).slice(0, 50),
    cvss: distinctCvss([cvssOf(about['cvss-score'], about['cvss-metrics'], '3.1')]),
    cwes: cwesOf(idsOf(about['cwe-id'])),
    kev: tagsOf(info['tags']).includes('kev'),
  };
}

function ratingOf(word: unknown): Rating {
  const severity = wordIn(SEVERITIES, textOf(word)?.trim().toLowerCase() ?? '');
  return severity ? { severity, severity_source: 'nuclei template', severity_rated: true } : UNRATED;
}

const tagsOf = (tags: unknown): string[] =>
  textsOf(tags, 200).flatMap((text) => text.split(',').map((tag) => tag.trim().toLowerCase()));

/** Templates that were converted hold several ids in one text, with commas. */
const idsOf = (value: unknown): string[] => [
  ...new Set(textsOf(value, 100_000).flatMap((text) => text.slice(0, 1 << 20).split(/[,;\n]|\s+(?=C[VW]E-)/i))),
];

/** Entries of a list, or of a text that holds one per line as YAML does. */
const linesOf = (value: unknown): string[] => [
  ...new Set(
    listOf(value)
      .flatMap(
        (entry) =>
          textOf(entry)
            ?.slice(0, 64 << 10)
            .split('\n') ?? [],
      )
      .map((line) => line.replace(/^\s*(?:- )?/, '').trim())
      .filter((line) => line !== ''),
  ),
];
