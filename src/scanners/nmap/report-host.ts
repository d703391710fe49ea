import type { Place } from '../../model/coverage.ts';
import { ParsedFinding, type Location } from '../../model/finding.ts';
import type { PortAnswers } from './port-answers.ts';
import type { ScriptResult } from './script-tree.ts';
import { scriptName, verdictOf } from './script-verdict.ts';
import { scriptKind } from './scripts.ts';

/** What is known of a host while its element streams by. */
export interface HostSoFar {
  address: string | undefined;
  /** The name as the user of nmap wrote it, if it can be one; a name from reverse DNS is the target's own word. */
  asked: string | undefined;
  readonly reverse: string[];
  isUp: boolean;
  /** Only its name was written down (`-sL`): nothing was sent to it. */
  isOnlyListed: boolean;
  readonly timedOut: boolean;
  /** A port answered open or closed. */
  answered: boolean;
  /** Any port was reported, in whatever state. */
  sawPorts: boolean;
  readonly answers: PortAnswers;
}

/** A `<port>` while it streams by. */
export interface PortSoFar {
  readonly port: number;
  readonly protocol: string;
  state: string;
  /** In nmap's words; undefined also for a word that cannot be one of them, which is then part of the banner. */
  service: string | undefined;
  banner: string;
}

const TIMED_OUT = 'nmap gave up on this host at its time limit; what it saw until then is not reported.';

/** Positive evidence alone makes a host tested: "up" may only mean that nmap was told not to check. */
export function placeOf(host: HostSoFar & { address: string }, isCut: boolean): Place {
  const place = host.address;
  const say = (status: Place['status'], reason: string): Place => ({ place, status, reason });
  if (isCut && host.answered) return say('partial', 'The report ends before this host was finished.');
  if (isCut) return say('not_tested', 'The report ends before anything of this host answered.');
  // Of such a host nmap reports no ports, as a rule: then nothing is known to have answered.
  if (host.timedOut) return say(host.answered ? 'partial' : 'not_tested', TIMED_OUT);
  if (host.isOnlyListed && !host.answered) return say('not_tested', 'The host was listed, and nothing was sent to it.');
  // Writers of the same format that find ports by raw packets (masscan) do not say that a host is up.
  if (!host.isUp && !host.answered) return say('unreachable', 'The host did not answer.');
  if (host.answered) return { place, status: 'tested' };
  if (host.sawPorts) return say('unreachable', 'No port answered, neither open nor closed.');
  return say('not_tested', 'The host was listed, but no port was looked at.');
}

export function portFinding(host: HostSoFar & { address: string }, port: PortSoFar): ParsedFinding {
  const service = port.service ? ` (${port.service})` : '';
  return ParsedFinding.parse({
    rule_id: 'nmap:port-open',
    rule_family: 'ports',
    title: `Port ${port.port}/${port.protocol} is open${service}`,
    severity: 'info',
    severity_source: 'rule',
    confidence: 'certain',
    location: locationOf(host, port),
    untrusted: {
      ...(port.banner ? { banner: port.banner } : {}),
      ...(host.reverse.length > 0 ? { output: `Reverse DNS: ${host.reverse.join(', ')}` } : {}),
    },
  });
}

/** One script result is one finding, even when the script names several weaknesses. */
export function scriptFinding(
  host: HostSoFar & { address: string },
  port: PortSoFar | undefined,
  script: ScriptResult,
): ParsedFinding {
  return ParsedFinding.parse({
    rule_id: `nse:${scriptName(script.id)}`,
    rule_family: `nse:${scriptKind(script.id) ?? 'other'}`,
    ...verdictOf(script),
    location: locationOf(host, port),
    untrusted: { output: script.output },
  });
}

function locationOf(host: HostSoFar & { address: string }, port: PortSoFar | undefined): Location {
  return {
    ...(host.asked ? { host: host.asked } : {}),
    ip: host.address,
    ...(port ? { port: port.port, protocol: port.protocol } : {}),
    ...(port?.service ? { service: port.service } : {}),
  };
}
