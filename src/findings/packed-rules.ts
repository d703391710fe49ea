import type { RuleFacts } from '../model/finding.ts';
import { isPlain } from './plain-text.ts';
import { ruleNumbers } from './rule-columns.ts';
import type { RuleNumbers } from './rule-columns.ts';

/** One rule as it comes out of a batch: its words, and the rest only as it is stored. */
export interface UnpackedRule extends RuleNumbers {
  readonly ruleId: string;
  /** Title and description as lines: what is searched. */
  readonly words: string;
  /** Empty for none. */
  readonly solution: string;
  readonly cves: readonly string[];
  /** `RuleFacts` as JSON. */
  readonly json: string;
  /** No character in it reads as something else (plain-text.ts); false where nobody can tell cheaply. */
  readonly isPlain: boolean;
}

/** Numbers of one rule in a batch: lengths of its texts, then its numbers. A text that may be absent has its length + 1. */
export const RULE_NUMBERS = 10;

type Rest = Omit<RuleFacts, 'rule_id' | 'title' | 'description' | 'solution'>;

/** Every key is named, so that the compiler misses one that is added to the vocabulary. */
const restOf = (rule: RuleFacts): { readonly [K in keyof Required<Rest>]: Rest[K] } => ({
  rule_family: rule.rule_family,
  severity: rule.severity,
  severity_source: rule.severity_source,
  severity_rated: rule.severity_rated,
  confidence: rule.confidence,
  references: rule.references,
  cvss: rule.cvss,
  cves: rule.cves,
  cwes: rule.cwes,
  epss: rule.epss,
  epss_source: rule.epss_source,
  vpr: rule.vpr,
  kev: rule.kev,
  kev_source: rule.kev_source,
  exploit_available: rule.exploit_available,
});

/**
 * A rule as one text: id, title and description as lines, then solution, CVEs and the JSON of all else. Its words are
 * copied as they are and become JSON where they are written, which is another thread: the one that reads has more to do.
 * @param into Gets the numbers from `at` on.
 */
export function packRule(rule: RuleFacts, into: Float64Array, at: number): string {
  const { rule_id: ruleId, title, description, solution } = rule;
  const rest = JSON.stringify(restOf(rule));
  const cves = rule.cves.join(' ');
  const { severity, flags, cvss, epss } = ruleNumbers(rule);
  into[at] = ruleId.length;
  into[at + 1] = title.length;
  into[at + 2] = description === undefined ? 0 : description.length + 1;
  into[at + 3] = solution === undefined ? 0 : solution.length + 1;
  into[at + 4] = cves.length;
  into[at + 5] = rest.length;
  into[at + 6] = severity;
  into[at + 7] = flags;
  into[at + 8] = cvss;
  into[at + 9] = epss;
  const lines = description === undefined ? `${ruleId}\n${title}` : `${ruleId}\n${title}\n${description}`;
  return `${lines}${solution ?? ''}${cves}${rest}`;
}

/** How long the text of a packed rule is, in UTF-16 units. */
export const packedRuleChars = (numbers: Float64Array, at: number): number =>
  endsOf(numbers, at).cves + (numbers[at + 5] ?? 0);

type Text = 'ruleId' | 'title' | 'description' | 'solution' | 'cves';

/** Where each text ends; an absent one where the one before it does. */
function endsOf(numbers: Float64Array, at: number): Readonly<Record<Text, number>> {
  const ruleId = numbers[at] ?? 0;
  const title = ruleId + 1 + (numbers[at + 1] ?? 0);
  // Its length + 1 counts the line feed before it.
  const description = title + (numbers[at + 2] ?? 0);
  const solution = description + Math.max(0, (numbers[at + 3] ?? 0) - 1);
  return { ruleId, title, description, solution, cves: solution + (numbers[at + 4] ?? 0) };
}

export function unpackRule(text: string, numbers: Float64Array, at: number): UnpackedRule {
  const ends = endsOf(numbers, at);
  const said = text.slice(0, ends.solution);
  const plain = isPlain(said);
  const ruleId = text.slice(0, ends.ruleId);
  const solution = text.slice(ends.description, ends.solution);
  const quoted = plain && !said.includes('"') ? quotedPlain : quotedAny;
  let json = `{"rule_id":${quoted(ruleId)},"title":${quoted(text.slice(ends.ruleId + 1, ends.title))}`;
  if (ends.description > ends.title) json += `,"description":${quoted(text.slice(ends.title + 1, ends.description))}`;
  if (numbers[at + 3] !== 0) json += `,"solution":${quoted(solution)}`;
  const cves = copyOf(text.slice(ends.solution, ends.cves));
  return {
    ruleId,
    words: text.slice(ends.ruleId + 1, ends.description),
    solution,
    cves: cves === '' ? [] : cves.split(' '),
    // The brace the rest begins with is that of the whole.
    json: `${json},${text.slice(ends.cves + 1)}`,
    isPlain: plain,
    ...numbersOf(numbers, at + 6),
  };
}

/** CVEs are kept until thousands are sorted: a part of a text would keep all of its rule in memory as long. */
const copyOf = (cves: string): string => (cves === '' ? '' : Buffer.from(cves, 'latin1').toString('latin1'));

const numbersOf = (numbers: Float64Array, at: number): RuleNumbers => ({
  severity: numbers[at] ?? 0,
  flags: numbers[at + 1] ?? 0,
  cvss: numbers[at + 2] ?? 0,
  epss: numbers[at + 3] ?? 0,
});

/** Of text without what JSON escapes, but for line feeds, which a line should not have. */
const quotedPlain = (text: string): string => (text.includes('\n') ? JSON.stringify(text) : `"${text}"`);
const quotedAny = (text: string): string => JSON.stringify(text);
