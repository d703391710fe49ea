import { bestCvss } from '../../model/finding.ts';
import type { RuleFacts, Severity } from '../../model/finding.ts';
import { webUri } from './uri.ts';

/** SARIF has four levels, and `none` is for results that are no problem. */
const LEVEL: Readonly<Record<Severity, 'error' | 'warning' | 'note' | 'none'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'none',
};
export const levelOf = ({ severity }: Pick<RuleFacts, 'severity'>) => LEVEL[severity];

/** The band of `security-severity` for each severity (GitHub code scanning), and a number in it. */
const BAND: Readonly<Record<Severity, readonly [from: number, to: number, middle: number]>> = {
  critical: [9, 10, 9.5],
  high: [7, 8.9, 8],
  medium: [4, 6.9, 5.5],
  low: [0.1, 3.9, 2],
  info: [0, 0, 0],
};

/** The CVSS score where it says the same as the severity; else a number that does. */
function securitySeverity(rule: RuleFacts): string {
  const [from, to, middle] = BAND[rule.severity];
  const score = bestCvss(rule) ?? middle;
  return (score >= from && score <= to ? score : middle).toFixed(1);
}

/** Numbers of CWEs with their index in the taxonomy. */
export type CweIndex = ReadonlyMap<string, number>;

const cweNumber = (cwe: string): string => cwe.slice('CWE-'.length);

function tagsOf({ rule_family: family, cves, cwes, kev }: RuleFacts): string[] {
  const tags = ['security', ...(family ? [family] : []), ...(kev ? ['kev'] : [])];
  return [...new Set([...tags, ...cves, ...cwes.map((cwe) => `external/cwe/cwe-${cweNumber(cwe)}`)])];
}

/**
 * Text of a message: SARIF takes `[words](target)` in it for a link, so brackets are escaped where one could be read
 * (SARIF 2.1.0, 3.11.6).
 */
export const messageText = (text: string): string =>
  text.includes('](') ? text.replace(/[\\[\]]/g, String.raw`\$&`) : text;

const message = (text: string): { readonly text: string } => ({ text: messageText(text) });

/** A `reportingDescriptor`, with the rule facts as they are under `properties.scanmux`. */
export function sarifRule(rule: RuleFacts, cweIndex: CweIndex) {
  const { rule_id: id, title, description, solution, cwes, references, epss } = rule;
  const helpUri = references.map(webUri).find((uri) => uri !== undefined);
  const help = [description, solution && `Solution: ${solution}`, ...references].filter(Boolean).join('\n\n');
  const related = cwes.flatMap((cwe) => {
    const index = cweIndex.get(cwe);
    return index === undefined ? [] : [{ id: cweNumber(cwe), index }];
  });
  return {
    id,
    shortDescription: message(title === '' ? id : title),
    ...(description && { fullDescription: message(description) }),
    ...(help && { help: message(help) }),
    ...(helpUri && { helpUri }),
    defaultConfiguration: { level: levelOf(rule) },
    ...(related.length > 0 && {
      relationships: related.map((target) => ({
        target: { ...target, toolComponent: { name: 'CWE', index: 0 } },
        kinds: ['relevant'],
      })),
    }),
    properties: {
      tags: tagsOf(rule),
      'security-severity': securitySeverity(rule),
      ...(epss !== undefined && { epss }),
      scanmux: rule,
    },
  };
}

const CWE_BASE = 'https://cwe.mitre.org/data/definitions';

/** The CWE entries that rules refer to, as a SARIF taxonomy. */
export const cweTaxonomy = (index: CweIndex) => ({
  name: 'CWE',
  organization: 'MITRE',
  shortDescription: { text: 'Common Weakness Enumeration' },
  informationUri: 'https://cwe.mitre.org/',
  isComprehensive: false,
  taxa: [...index.keys()].map((cwe) => ({
    id: cweNumber(cwe),
    name: cwe,
    shortDescription: { text: cwe },
    helpUri: `${CWE_BASE}/${cweNumber(cwe)}.html`,
  })),
});
