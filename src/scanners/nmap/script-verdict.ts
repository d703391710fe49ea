import { severityRank, type Cvss, type ParsedFindingInput, type Severity } from '../../model/finding.ts';
import { nameTag, plainName } from '../plain-name.ts';
import { distinctCvss, namedCves } from '../rule-words.ts';
import { child, type ScriptNode, type ScriptResult } from './script-tree.ts';
import { printedVerdict } from './printed-verdict.ts';
import { isJudge, scriptKind } from './scripts.ts';

/** The id of a script as findings name it. Who wrote a foreign report may have called it anything. */
export const scriptName = (id: string): string => plainName(id) ?? `unusual-name-${nameTag(id)}`;

/** What a script itself says about what it found. */
export type ScriptVerdict = Pick<
  ParsedFindingInput,
  | 'title'
  | 'severity'
  | 'severity_source'
  | 'severity_rated'
  | 'confidence'
  | 'description'
  | 'references'
  | 'cvss'
  | 'cves'
  | 'exploit_available'
>;

/** nselib/vulns.lua of nmap 7.93, STATE_MSG. Every other state says that nothing was shown. */
const STATES: ReadonlyMap<string, { likely: boolean; exploited: boolean }> = new Map([
  ['VULNERABLE', { likely: false, exploited: false }],
  ['VULNERABLE (DoS)', { likely: false, exploited: true }],
  ['VULNERABLE (Exploitable)', { likely: false, exploited: true }],
  ['LIKELY VULNERABLE', { likely: true, exploited: false }],
]);

const MAX_REFERENCES = 50;

/**
 * Severity, CVEs and references only from the structured output, where there is one: printed text is what the target said. A script that
 * shows nothing is `info` and names no CVE, so that "is CVE-x anywhere" is not answered by a check that failed. A script
 * that is known to judge nothing is never believed a verdict: its tables are what the target said as well.
 */
export function verdictOf(script: ScriptResult): ScriptVerdict {
  if (scriptKind(script.id) !== undefined && !isJudge(script.id)) return informative(script);
  if (script.tables.length === 0 && isJudge(script.id)) return printed(script) ?? informative(script);
  const shown = script.tables.filter((table) => STATES.has(stateOf(table)));
  if (shown.length > 0) return vulnerable(script, shown);
  const matches = versionMatches(script);
  return matches.length > 0 ? versionVerdict(matches) : informative(script);
}

const stateOf = (table: ScriptNode): string => child(table, 'state')?.text.trim() ?? '';

function vulnerable(script: ScriptResult, tables: readonly ScriptNode[]): ScriptVerdict {
  const states = tables.map((table) => STATES.get(stateOf(table)));
  const cvss = tables.flatMap(scoresOf).slice(0, 6);
  const more = tables.length > 1 ? ` (and ${tables.length - 1} more)` : '';
  const title = isJudge(script.id) ? titlesOf(tables)[0] : undefined;
  const isCertain = states.some((state) => state?.exploited);
  const words: Partial<ReturnType<typeof wordsOf>> = isJudge(script.id) ? wordsOf(tables) : {};
  return {
    ...words,
    ...namedCves(unique(tables.flatMap((table) => textsOf(table, 'ids')).flatMap(cveOf)), words.description),
    title: `${title ?? `Vulnerability shown by ${shortId(script)}`}${more}`,
    ...severityFrom(cvss, script.output),
    confidence: isCertain ? 'certain' : states.every((state) => state?.likely) ? 'tentative' : 'firm',
    cvss,
    exploit_available: isCertain,
  };
}

/**
 * nselib/vulns.lua of nmap 5 and 6 only prints. What a target says may be among it, so this only ever makes a finding
 * worse than the `info` it is otherwise: the worst state and risk count, and a low risk counts as none.
 */
function printed(script: ScriptResult): ScriptVerdict | undefined {
  const verdict = printedVerdict(script.output);
  if (!verdict) return undefined;
  const { cves, isLikely, isExploited, risk } = verdict;
  return {
    ...namedCves(cves, undefined),
    title: `Vulnerability shown by ${shortId(script)}`,
    severity: risk ?? 'medium',
    severity_source: 'script verdict',
    severity_rated: risk !== undefined,
    confidence: isLikely ? 'tentative' : 'firm',
    exploit_available: isExploited,
  };
}

const titlesOf = (tables: readonly ScriptNode[]): readonly string[] =>
  tables.map((table) => child(table, 'title')?.text.trim().slice(0, 200) ?? '').filter(Boolean);

/** What the script itself says, where its words are known to be its own. Of any other script they are in its output. */
const wordsOf = (tables: readonly ScriptNode[]): Pick<ScriptVerdict, 'description' | 'references'> => ({
  description: tables
    .flatMap((table) => textsOf(table, 'description'))
    .join('\n')
    .slice(0, 8_000),
  references: unique(tables.flatMap((table) => textsOf(table, 'refs')).filter(isLink)).slice(0, MAX_REFERENCES),
});

type Rating = Pick<ScriptVerdict, 'severity' | 'severity_source' | 'severity_rated'>;

/** The script's score, else its risk factor; without either it counts as medium, because unrated is not harmless. */
function severityFrom(cvss: readonly Cvss[], output: string): Rating {
  const scored = cvss.map(severityOfScore).toSorted((a, b) => severityRank(b) - severityRank(a))[0];
  if (scored) return { severity: scored, severity_source: 'cvss', severity_rated: true };
  const risks = [...output.slice(0, 100_000).matchAll(/^\s*Risk factor: (high|medium|low)\b/gim)].map(([, risk]) =>
    risk?.toLowerCase(),
  );
  const severity = (['high', 'medium', 'low'] as const).find((risk) => risks.includes(risk));
  return { severity: severity ?? 'medium', severity_source: 'script verdict', severity_rated: severity !== undefined };
}

/** NVD's bands: version 2 has no critical. */
function severityOfScore({ version, score }: Cvss): Severity {
  if (score >= 9 && version !== '2.0') return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

/** `scores` holds lines like `CVSSv2: 9.3 (HIGH) (AV:N/AC:M/Au:N/C:C/I:C/A:C)`. */
function scoresOf(table: ScriptNode): Cvss[] {
  return (child(table, 'scores')?.children ?? []).flatMap(({ key, text }) => {
    const score = Number(/^\s*(\d{1,2}(?:\.\d+)?)/.exec(text)?.[1]);
    if (!(score >= 0 && score <= 10)) return [];
    const vector = /\b(?:CVSS:[\d.]+\/)?AV:[A-Z][A-Za-z:/]{5,200}/.exec(text)?.[0];
    return [{ version: cvssVersion(key), score, ...(vector ? { vector } : {}) }];
  });
}

function cvssVersion(key: string): Cvss['version'] {
  if (/4/.test(key)) return '4.0';
  return /3/.test(key) ? '3.1' : '2.0';
}

interface VersionMatch {
  readonly cve: string | undefined;
  readonly score: number;
  readonly isExploit: boolean;
}

/** Where nmap knows no CPE, these ask by `<product> <version>` and write that as the key. Any other key may be anything. */
const BY_VERSION: ReadonlySet<string> = new Set(['vulners', 'freevulners']);

/** `vulners` and its like: a table per CPE or version, in it one per entry with id, type and cvss. */
function versionMatches({ id: name, tables }: ScriptResult): readonly VersionMatch[] {
  const isByVersion = BY_VERSION.has(name);
  return tables
    .filter(({ key }) => isByVersion || key.startsWith('cpe:'))
    .flatMap(({ children }) => children)
    .flatMap((entry) => {
      const score = Number(child(entry, 'cvss')?.text);
      const id = child(entry, 'id')?.text ?? '';
      if (id === '' || !(score >= 0 && score <= 10)) return [];
      return [{ cve: cveOf(id)[0], score, isExploit: child(entry, 'is_exploit')?.text === 'true' }];
    })
    .toSorted((a, b) => b.score - a.score);
}

/**
 * Known from the version a banner claims, nothing was tried: tentative. `vulners` does not say of which version of CVSS its
 * scores are; they are read by the bands of 3.1.
 */
function versionVerdict(matches: readonly VersionMatch[]): ScriptVerdict {
  const score = matches[0]?.score ?? 0;
  return {
    title: `The version found has ${matches.length} known vulnerabilities or exploits`,
    severity: severityOfScore({ version: '3.1', score }),
    severity_source: 'cvss',
    severity_rated: true,
    confidence: 'tentative',
    cvss: distinctCvss(matches.slice(0, MOST_SCORES).map((match) => ({ version: '3.1', score: match.score }))),
    ...namedCves(unique(matches.flatMap(({ cve }) => cve ?? [])), scoresInWords(matches)),
    exploit_available: matches.some(({ isExploit }) => isExploit),
  };
}

/** As many as fit into a description. */
const MOST_SCORES = 150;

/** The score of each CVE, the worst first: a finding of many has one list of ids and one of scores. */
function scoresInWords(matches: readonly VersionMatch[]): string | undefined {
  const scored = new Map<string, number>();
  for (const { cve, score } of matches) if (cve !== undefined && !scored.has(cve)) scored.set(cve, score);
  const all = [...scored].map(([cve, score]) => `${cve} ${score}`);
  if (all.length === 0) return undefined;
  const more = all.length > MOST_SCORES ? `, and ${all.length - MOST_SCORES} with lower ones or the same` : '';
  return `CVSS scores: ${all.slice(0, MOST_SCORES).join(', ')}${more}.`;
}

function informative(script: ScriptResult): ScriptVerdict {
  return {
    title: `Result of the nmap script ${shortId(script)}`,
    severity: 'info',
    severity_source: 'default',
    // Neither nmap nor we have judged what it says.
    severity_rated: false,
    confidence: /^\s*ERROR\b/.test(script.output) ? 'tentative' : 'firm',
  };
}

const shortId = ({ id }: ScriptResult): string => scriptName(id);

/** Text of the entries under `key`: a list of elems, or one elem. */
function textsOf(table: ScriptNode, key: string): readonly string[] {
  const node = child(table, key);
  if (!node) return [];
  return (node.children.length > 0 ? node.children : [node]).map(({ text }) => text.trim()).filter(Boolean);
}

const cveOf = (text: string): readonly string[] => {
  const match = /\bCVE-\d{4}-\d{4,}\b/i.exec(text.slice(0, 100));
  return match ? [match[0].toUpperCase()] : [];
};

const isLink = (text: string): boolean => /^https?:\/\/\S+$/i.test(text);
const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
