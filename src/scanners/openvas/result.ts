import { isIP } from 'node:net';
import { Occurrence, type Location } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import type { createRuleCache } from '../rule-cache.ts';
import { childOf, textOf, type XmlNode } from '../xml-tree.ts';
import { checkFacts } from './check.ts';
import { complianceOf, confidenceOf, ratingOf, reportStateOf } from './rating.ts';

/** One `<result>` as a finding. Results of one check mostly share all that is said of it. */
export function resultFinding(result: XmlNode, intern: ReturnType<typeof createRuleCache>): ReportEvent {
  const rule = intern({ ...checkFacts(result), ...ratingOf(result), confidence: confidenceOf(result) });
  return { kind: 'occurrence', rule, occurrence: occurrenceOf(result) };
}

function occurrenceOf(result: XmlNode): Occurrence {
  const host = childOf(result, 'host');
  const output = textOf(result, 'description');
  const name = textOf(host, 'hostname');
  const compliance = complianceOf(result);
  const state = reportStateOf(result);
  return Occurrence.parse({
    location: { ...hostLocation(hostText(host)), ...portLocation(textOf(result, 'port')) },
    untrusted: {
      ...(output === undefined ? {} : { output }),
      // From reverse DNS or a certificate, as a rule: the target's own word, which may change from scan to scan.
      ...(name === undefined ? {} : { banner: `Host name: ${name}` }),
    },
    ...(compliance === undefined ? {} : { compliance }),
    ...(state === undefined ? {} : { report_state: state }),
  });
}

/** The address stands as text before `<asset>`. */
export const hostText = (host: XmlNode | undefined): string => host?.text.trim() ?? '';

function hostLocation(host: string): Location {
  if (host === '') return {};
  return isIP(host) === 0 ? { host } : { ip: host };
}

const TRANSPORTS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp', 'icmp', 'ip']);

/** `443/tcp`, `https (443/tcp)` of old versions, `general/tcp` for the host, `general/CPE-T` for no protocol at all. */
function portLocation(text = ''): Location {
  const match = /^(?:([\w./-]{1,64}) \()?(\d{1,5}|general)\/([\w-]{1,16})\)?$/i.exec(text);
  const [service, port, protocol] = [match?.[1], Number(match?.[2]), match?.[3]?.toLowerCase() ?? ''];
  return {
    ...(port >= 0 && port <= 65_535 ? { port } : {}),
    ...(TRANSPORTS.has(protocol) ? { protocol } : {}),
    ...(service === undefined ? {} : { service }),
  };
}
