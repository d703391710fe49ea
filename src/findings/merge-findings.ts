import { ParsedFinding, severityRank } from '../model/finding.ts';
import type { Cvss } from '../model/finding.ts';

const MAX = { references: 50, cves: 200, cwes: 50, cvss: 6 } as const;

const union = (a: readonly string[], b: readonly string[], max: number): string[] =>
  [...new Set([...a, ...b])].toSorted().slice(0, max);

/** Newest version and highest score first, so that a cap drops what matters least. */
function unionOfScores(a: readonly Cvss[], b: readonly Cvss[]): Cvss[] {
  const byText = new Map([...a, ...b].map((cvss) => [`${cvss.version} ${cvss.score} ${cvss.vector ?? ''}`, cvss]));
  return [...byText]
    .toSorted(
      ([textA, x], [textB, y]) => y.version.localeCompare(x.version) || y.score - x.score || (textA < textB ? -1 : 1),
    )
    .map(([, cvss]) => cvss)
    .slice(0, MAX.cvss);
}

/** The part of a finding that merging leaves alone: what decides whose words are kept must not change by merging. */
function ownWords(finding: ParsedFinding): string {
  const { references: _r, cves: _v, cwes: _w, cvss: _c, epss: _e, kev: _k, exploit_available: _x, ...own } = finding;
  return JSON.stringify(Object.entries(own).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function leads(a: ParsedFinding, b: ParsedFinding): boolean {
  const ranks = severityRank(a.severity) - severityRank(b.severity);
  return ranks === 0 ? ownWords(a) <= ownWords(b) : ranks > 0;
}

/**
 * One finding out of two with the same fingerprint: the words of the more severe one, and every CVE, CWE, score and
 * reference of both. Commutative and associative, so that the order of a report changes nothing.
 */
export function mergeFindings(a: ParsedFinding, b: ParsedFinding): ParsedFinding {
  const epss = Math.max(a.epss ?? -1, b.epss ?? -1);
  // Parsed for the order of its keys: equal findings must be equal bytes, whichever of the two came with a score.
  return ParsedFinding.parse({
    ...(leads(a, b) ? a : b),
    references: union(a.references, b.references, MAX.references),
    cves: union(a.cves, b.cves, MAX.cves),
    cwes: union(a.cwes, b.cwes, MAX.cwes),
    cvss: unionOfScores(a.cvss, b.cvss),
    ...(epss >= 0 ? { epss } : {}),
    kev: a.kev || b.kev,
    exploit_available: a.exploit_available || b.exploit_available,
  });
}
