import type { ReportScope } from '../../model/report.ts';
import type { Intensity } from '../../model/scan.ts';
import { portRanges } from '../port-ranges.ts';
import { EXPOSURES, exposuresFor } from './exposures.ts';
import type { PlannedPlace } from './places.ts';
import { RULE_FAMILIES, type RuleFamily } from './rules/rule.ts';
import { ruleId, type RuleName } from './rules/table.ts';

/** Checks of families that are otherwise not made at a URL: they ask web servers. */
const ASKED_BY_HTTP: readonly RuleName[] = ['http-service', 'open-elasticsearch', 'open-docker'];

/**
 * What a look at a place to its end proves was looked for: every open port was asked what it is, and got all checks
 * that its answer calls for.
 * @param notRun checks that could not be made there although their kind was
 */
export function scopeOfLook(
  { place, ports, web }: PlannedPlace,
  intensity: Intensity,
  notRun: ReadonlySet<RuleName>,
): ReportScope {
  const asked = new Set(exposuresFor(intensity).map(({ rule }) => rule));
  const notAsked = EXPOSURES.map(({ rule }) => rule).filter((rule) => !asked.has(rule));
  const rulesNotRun = [...new Set([...notRun, ...notAsked])].map(ruleId);
  return {
    place,
    tcpPorts: portRanges(ports),
    families: web ? familiesOfUrl(web.scheme) : RULE_FAMILIES,
    ...(web ? { rules: ASKED_BY_HTTP.map(ruleId) } : {}),
    ...(rulesNotRun.length > 0 ? { rulesNotRun } : {}),
  };
}

const familiesOfUrl = (scheme: 'http' | 'https'): readonly RuleFamily[] =>
  scheme === 'https' ? ['tls', 'http', 'exposure'] : ['http', 'exposure'];
