import { hash } from 'node:crypto';
import { z } from 'zod';
import { lineText, untrustedText } from './untrusted.ts';

/** From least to most urgent; the position is the rank. */
export const Severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);
export type Severity = z.infer<typeof Severity>;

export const SEVERITIES = Severity.options;
export const severityRank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** Counts of findings by severity; every severity is always there. */
export const BySeverity = z.strictObject({
  critical: z.int().min(0),
  high: z.int().min(0),
  medium: z.int().min(0),
  low: z.int().min(0),
  info: z.int().min(0),
});
export type BySeverity = z.infer<typeof BySeverity>;
export const noSeverities = (): BySeverity => ({ critical: 0, high: 0, medium: 0, low: 0, info: 0 });

/** Where a finding is. A network place has host or ip; a web place also has url; a code place has file. */
export const Location = z.strictObject({
  host: lineText(253).optional().describe('Name of the host as it was asked for.'),
  ip: lineText(64).optional(),
  port: z.int().min(0).max(65_535).optional(),
  protocol: lineText(16).optional().describe('tcp, udp, ...'),
  service: lineText(64).optional(),
  url: lineText(2_000).optional(),
  method: lineText(16).optional(),
  parameter: lineText(200).optional(),
  file: lineText(1_000).optional(),
  line: z.int().min(0).optional(),
  image: lineText(500).optional(),
  package: lineText(300).optional(),
  version: lineText(100).optional(),
  fixed_version: lineText(300).optional(),
});
export type Location = z.infer<typeof Location>;

export const CveId = z.string().regex(/^CVE-\d{4}-\d{4,}$/);
/** Advisories of kernels name several hundred. Where a report names more, the description says how many are left out. */
export const MAX_CVES = 2_000;
export const CweId = z.string().regex(/^CWE-\d+$/);

const Score = z.number().min(0).max(10);
export const Cvss = z.strictObject({
  version: z.enum(['2.0', '3.0', '3.1', '4.0']),
  score: Score,
  vector: lineText(300).optional(),
});
export type Cvss = z.infer<typeof Cvss>;

/**
 * Most of each untrusted text, in UTF-16 units. Lists of installed packages come to 200,000: whoever searches for one
 * must find it.
 */
export const UNTRUSTED_CAPS = { output: 300_000, banner: 2_000, title: 500, response: 4_000 } as const;

/** What the scanned system itself wrote. Data, never instructions. */
export const Untrusted = z.strictObject({
  output: untrustedText(UNTRUSTED_CAPS.output).optional().describe('Output of the check.'),
  banner: untrustedText(UNTRUSTED_CAPS.banner).optional(),
  title: untrustedText(UNTRUSTED_CAPS.title).optional(),
  response: untrustedText(UNTRUSTED_CAPS.response).optional(),
});
export type Untrusted = z.infer<typeof Untrusted>;

/** Where a score came from, when not from the report itself: `FIRST EPSS 2026-11-20`, `CISA KEV 2026.11.20`. */
const ScoreSource = lineText(100);

/**
 * What all findings of one check share. Reports repeat these words for every place, so they are validated and stored
 * once. Keys are the public ones (snake_case) so that a row, an answer and an export need no second mapping.
 */
export const RuleFacts = z.strictObject({
  rule_id: lineText(200).describe('Stable id of the check, in the words of the engine.'),
  rule_family: lineText(100).optional().describe('Kind of check: tls, http, exposure, nse:vuln, ...'),
  title: lineText(300),
  severity: Severity,
  severity_source: lineText(60).describe('Where the severity came from: rule, engine, cvss3, script verdict, default.'),
  severity_rated: z.boolean().default(true).describe('False when the engine did not rate it.'),
  confidence: z.enum(['certain', 'firm', 'tentative']).default('firm'),
  description: lineText(4_000).optional(),
  solution: lineText(2_000).optional(),
  references: z.array(lineText(500)).max(50).default([]),
  cvss: z.array(Cvss).max(6).default([]),
  cves: z.array(CveId).max(MAX_CVES).default([]),
  cwes: z.array(CweId).max(50).default([]),
  epss: z.number().min(0).max(1).optional(),
  epss_source: ScoreSource.optional().describe('Source and date of epss when it is not from the report.'),
  vpr: Score.optional().describe("Tenable's Vulnerability Priority Rating."),
  kev: z.boolean().default(false),
  kev_source: ScoreSource.optional().describe('Source and date of kev when it is not from the report.'),
  exploit_available: z.boolean().default(false),
});
export type RuleFacts = z.infer<typeof RuleFacts>;

/** What one finding has for itself: its place and what was seen there. */
export const Occurrence = z.strictObject({
  location: Location,
  untrusted: Untrusted.prefault({}),
  /**
   * What tells this finding from others of the same rule at the same place (a cookie name, a parameter). Never text
   * that changes from run to run: it is part of the fingerprint.
   */
  discriminator: lineText(300).optional(),
  compliance: z.enum(['passed', 'failed', 'warning', 'error']).optional().describe('Outcome of an audit item.'),
  report_state: lineText(300)
    .optional()
    .describe('What the report itself says of the finding: suppressed (why), baseline state, review status.'),
});
export type Occurrence = z.infer<typeof Occurrence>;

/** A finding as a parser emits it: every engine's words in one shape. */
export const ParsedFinding = z.strictObject({ ...RuleFacts.shape, ...Occurrence.shape });
export type ParsedFinding = z.infer<typeof ParsedFinding>;
export type ParsedFindingInput = z.input<typeof ParsedFinding>;

/** Highest CVSS base score of the newest version present. */
export function bestCvss({ cvss }: Pick<ParsedFinding, 'cvss'>): number | undefined {
  const newest = cvss.toSorted((a, b) => b.version.localeCompare(a.version) || b.score - a.score)[0];
  return newest?.score;
}

/**
 * Names one weakness in one place across scans and releases: 32 hex digits of a SHA-256. Findings of one report that
 * have the same one are told apart by `occurrenceFingerprint`.
 */
export function fingerprint(
  engine: string,
  finding: Pick<ParsedFinding, 'rule_id' | 'location' | 'discriminator'>,
): string {
  const { host, ip, port, protocol, url, method, parameter, file, image, package: pkg } = finding.location;
  const place = [host ?? ip, port, protocol, url, method, parameter, file, image, pkg];
  const parts = [engine, finding.rule_id, ...place.map((part) => part ?? null), finding.discriminator ?? null];
  return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}

/**
 * The fingerprint of a finding that shares its plain one with others of its report.
 * @param traits What tells it from those, never its rank among them; none when all say the same
 * @param n Number (from 1) among those that are the same in everything
 */
export const occurrenceFingerprint = (plain: string, traits: readonly string[], n: number): string =>
  traits.length === 0 && n === 1 ? plain : hash('sha256', JSON.stringify([plain, traits, n])).slice(0, 32);
