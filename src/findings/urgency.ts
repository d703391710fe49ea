import { bestCvss, severityRank } from '../model/finding.ts';
import type { ParsedFinding } from '../model/finding.ts';

/** From this EPSS on (10 % within 30 days), exploitation counts as likely. Source: FIRST, EPSS user guide. */
const LIKELY_EPSS = 0.1;

/**
 * What a finding is sorted and filtered by. The keys ending in `Key` are negated or reversed, so that every order is
 * ascending and one row-value comparison continues it.
 */
export interface UrgencyKeys {
  /** 0 when CISA lists it as exploited, else 1. */
  readonly kevKey: number;
  /** 0 to 5, smaller first: the severity, one step up when exploitation is likely. `info` is never raised. */
  readonly levelKey: number;
  /** 0 when an exploit is public, EPSS >= 0.1 or it is on the KEV list; else 1. */
  readonly likelyKey: number;
  /** 0 critical .. 4 info. */
  readonly severityKey: number;
  /** Minus the EPSS; 1 when there is none. */
  readonly epssKey: number;
  /** Minus the best CVSS score; 1 when there is none. */
  readonly cvssKey: number;
}

/**
 * The urgency order: KEV, then level, likely exploitation, EPSS, CVSS, severity, and the fingerprint so that it is
 * total. A missing EPSS or CVSS sorts last within its level only: a critical misconfiguration, which never has an EPSS,
 * stays above every high finding without an exploit. See docs/findings.md.
 */
export function urgencyKeys(finding: ParsedFinding): UrgencyKeys {
  const { epss, kev, severity } = finding;
  const rank = severityRank(severity);
  const cvss = bestCvss(finding);
  const isLikely = kev || finding.exploit_available || (epss ?? 0) >= LIKELY_EPSS;
  return {
    kevKey: kev ? 0 : 1,
    levelKey: 5 - (rank + (isLikely && rank > 0 ? 1 : 0)),
    likelyKey: isLikely ? 0 : 1,
    severityKey: 4 - rank,
    epssKey: epss === undefined ? 1 : -epss,
    cvssKey: cvss === undefined ? 1 : -cvss,
  };
}

/** The SQL of the urgency order over columns named like the keys. */
export const URGENCY_ORDER = 'kev_key, level_key, likely_key, epss_key, cvss_key, severity_key, fingerprint';
