import type { Location, RuleFacts } from '../../model/finding.ts';
import { placeText } from '../show.ts';
import { levelOf, messageText } from './sarif-rule.ts';
import { jsonMembers, memoLast } from './source.ts';
import type { ExportedFinding } from './source.ts';
import { locationUri } from './uri.ts';

const FINGERPRINT = 'scanmux/v1';

/** Which descriptor stands for a rule, and whether it says everything the rule does. */
export interface RuleRef {
  readonly index: number;
  readonly isWhole: boolean;
}

/** A result that is no problem has the level `none`, which SARIF wants for every kind but `fail`. */
const kindOf = ({ severity }: RuleFacts): 'fail' | 'informational' => (severity === 'info' ? 'informational' : 'fail');

function logicalLocation({ host, ip, port, protocol, image, package: pkg, version }: Location) {
  if (pkg !== undefined)
    return { name: pkg, fullyQualifiedName: [image, pkg, version].filter(Boolean).join(' '), kind: 'package' };
  if (image !== undefined) return { name: image, fullyQualifiedName: image, kind: 'image' };
  const name = host ?? ip;
  if (name === undefined) return undefined;
  const place = port === undefined ? {} : { port, ...(protocol !== undefined && { protocol }) };
  return {
    name,
    fullyQualifiedName: placeText({ host: name, ...place }),
    kind: port === undefined ? 'host' : 'service',
  };
}

/** Findings that have no place at all have no location: SARIF allows that, and inventing one would lie. */
function locations(location: Location): { locations?: object[] } {
  const uri = locationUri(location);
  const logical = logicalLocation(location);
  const { line } = location;
  if (uri === undefined && logical === undefined) return {};
  const region = line !== undefined && line > 0 ? { region: { startLine: line } } : {};
  return {
    locations: [
      {
        ...(uri !== undefined && { physicalLocation: { artifactLocation: { uri }, ...region } }),
        ...(logical && { logicalLocations: [logical] }),
      },
    ],
  };
}

const suppressions = ({ suppression }: ExportedFinding) =>
  suppression && {
    suppressions: [
      {
        kind: 'external',
        status: 'accepted',
        justification: suppression.reason,
        properties: { status: suppression.status, expires_at: suppression.expires_at },
      },
    ],
  };

/**
 * A `result` as JSON. The message holds title and place only: what the target wrote stands under
 * `properties.scanmux.untrusted`, which no viewer renders.
 */
export function sarifResult(refOf: (ruleRow: number) => RuleRef): (finding: ExportedFinding) => string {
  const ruleMembers = memoLast((rule: RuleFacts) =>
    jsonMembers({ ruleId: rule.rule_id, kind: kindOf(rule), level: levelOf(rule) }),
  );
  return (finding) => {
    const { rule, ruleRow, occurrence, fingerprint, findingId } = finding;
    const { index, isWhole } = refOf(ruleRow);
    const title = rule.title === '' ? rule.rule_id : rule.title;
    const place = placeText(occurrence.location);
    const own = {
      ruleIndex: index,
      message: { text: messageText(place === '' ? title : `${title}: ${place}`) },
      ...locations(occurrence.location),
      fingerprints: { [FINGERPRINT]: fingerprint },
      partialFingerprints: { [FINGERPRINT]: fingerprint },
      ...suppressions(finding),
      properties: { scanmux: { ...occurrence, ...(isWhole ? {} : { rule }), finding_id: findingId } },
    };
    return `{${ruleMembers(rule)},${jsonMembers(own)}}`;
  };
}
