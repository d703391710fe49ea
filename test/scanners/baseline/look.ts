import { baselineType, createBaseline } from '../../../src/scanners/baseline/scanner.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import type { Place } from '../../../src/model/coverage.ts';
import type { ParsedFinding } from '../../../src/model/finding.ts';
import type { ReportScope } from '../../../src/model/report.ts';
import type { ScanRequest } from '../../../src/model/scan.ts';
import type { PinnedTarget } from '../../../src/model/target.ts';
import type { RawReport } from '../../../src/scanners/scanner.ts';
import { findingsOf, parseAll, placesOf, runScanner } from '../../contracts/scanner-contract.ts';

export interface Look {
  readonly outcome: RawReport;
  readonly report: string;
  readonly places: readonly Place[];
  readonly findings: readonly ParsedFinding[];
  /** Rule names, sorted, without repeats. */
  readonly rules: readonly string[];
  readonly lookedFor: readonly string[];
  readonly notLookedFor: readonly string[];
  readonly scopes: readonly ReportScope[];
}

export const QUICK = { answer_timeout_ms: 400 };

/** One scan of the baseline engine from its targets to its parsed report. */
export async function look(
  targets: readonly PinnedTarget[],
  request: Partial<ScanRequest> = {},
  { clock, settings = QUICK }: { clock?: Clock; settings?: object } = {},
): Promise<Look> {
  const scanner = createBaseline(baselineType.settings.parse(settings), clock);
  const { outcome, report } = await runScanner(scanner, targets, { request });
  const events = await parseAll(scanner, report, 4_096);
  const findings = findingsOf(events);
  const checks = events.flatMap((event) => (event.kind === 'checks' ? [event] : []));
  return {
    outcome,
    report: report.toString('utf8'),
    places: placesOf(events),
    findings,
    rules: [...new Set(findings.map(({ rule_id }) => rule_id.replace('baseline:', '')))].toSorted(),
    lookedFor: checks.flatMap((check) => check.lookedFor),
    notLookedFor: checks.flatMap((check) => check.notLookedFor),
    scopes: events.flatMap((event) => (event.kind === 'scope' ? [event.scope] : [])),
  };
}

/** A URL as the policy would pin it. */
export function urlTarget(text: string, addresses: readonly string[] = ['127.0.0.1']): PinnedTarget {
  const url = new URL(text);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    target: {
      kind: 'url',
      text,
      scheme,
      host,
      isAddress: /^[\d.]+$|:/.test(host),
      port: Number(url.port || (scheme === 'https' ? 443 : 80)),
      path: url.pathname,
    },
    addresses,
  };
}

/** A name with a port as the policy would pin it. */
export const namedPort = (host: string, port: number, addresses: readonly string[] = ['127.0.0.1']): PinnedTarget => ({
  target: { kind: 'host', text: `${host}:${port}`, host, port },
  addresses,
});
