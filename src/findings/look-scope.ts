import type { ReportScope } from '../model/report.ts';
import { canonicalAddress } from './address-key.ts';
import { plainHostName } from './host-keys.ts';

/** What one word of a report about its scope proves, ready to be asked for every finding. */
export interface Scope {
  readonly tcp: PortSet | undefined;
  readonly udp: PortSet | undefined;
  /** Names of lists of ports that the report does not spell out. */
  readonly tcpList: string | undefined;
  readonly udpList: string | undefined;
  readonly portsAnswered: boolean;
  readonly allFamilies: boolean;
  readonly families: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly rulesNotRun: ReadonlySet<string>;
}

export interface PortSet {
  has(port: number): boolean;
}

/** A rule as a scope speaks of it. */
export interface ScopedRule {
  readonly rule_id: string;
  readonly rule_family?: string | undefined;
}

/** The scopes of one report: those for all of its places, and those for one. */
export interface Scopes {
  readonly everywhere: readonly Scope[];
  /** Scopes that name this place, in any spelling of it. Often empty. */
  of(place: string): readonly Scope[];
}

const MAX_PORT = 65_535;
const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** Dotted quads as they are always written: most places are one. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** One spelling of a place: canonical address, URL as it is, anything else as a host name. */
export function placeKey(place: string): string {
  if (IPV4.test(place)) return place;
  return canonicalAddress(place) ?? (place.includes('://') ? place : plainHostName(place));
}

/** Reads `1-1024,8080` or `all`. What is no range proves nothing and is left out. */
function portSet(text: string): PortSet {
  if (text.trim() === 'all') return { has: (port) => port >= 1 && port <= MAX_PORT };
  const ports = new Uint8Array(MAX_PORT + 1);
  for (const part of text.split(',')) {
    const range = RANGE.exec(part.trim());
    if (!range?.[1]) continue;
    ports.fill(1, Number(range[1]), Math.min(Number(range[2] ?? range[1]), MAX_PORT) + 1);
  }
  return { has: (port) => ports[port] === 1 };
}

/** The same ports are said of many places: each text is read once. */
function createPortSets(): (text: string | undefined) => PortSet | undefined {
  const known = new Map<string, PortSet>();
  return (text) => {
    if (text === undefined) return undefined;
    const set = known.get(text) ?? portSet(text);
    known.set(text, set);
    return set;
  };
}

export function compileScopes(scopes: readonly ReportScope[]): Scopes {
  const ports = createPortSets();
  const everywhere: Scope[] = [];
  const byPlace = new Map<string, Scope[]>();
  for (const scope of scopes) {
    const { families = [], rules = [], rulesNotRun = [], place } = scope;
    const made: Scope = {
      tcp: ports(scope.tcpPorts),
      udp: ports(scope.udpPorts),
      tcpList: scope.tcpPortList,
      udpList: scope.udpPortList,
      portsAnswered: scope.portsAnswered === true,
      allFamilies: families.includes('*'),
      families: new Set(families),
      rules: new Set(rules),
      rulesNotRun: new Set(rulesNotRun),
    };
    if (place === undefined) everywhere.push(made);
    else byPlace.set(placeKey(place), [...(byPlace.get(placeKey(place)) ?? []), made]);
  }
  return { everywhere, of: (place) => byPlace.get(placeKey(place)) ?? [] };
}

/** Whether the check ran: its family or it itself is named, and nothing says that it did not. Scopes add up. */
export const ruleRan = (scopes: readonly Scope[], { rule_id: rule, rule_family: family }: ScopedRule): boolean =>
  scopes.some(
    (scope) => scope.allFamilies || scope.rules.has(rule) || (family !== undefined && scope.families.has(family)),
  ) && !scopes.some(({ rulesNotRun }) => rulesNotRun.has(rule));

/**
 * Whether the port was tried: it is in a list of ports, or in a list both scans only name. What such a list of the other
 * scan found is in this one's, too, unless the other one tried the port besides.
 * @param protocol Asked only where TCP and UDP differ: it has to be read from disk.
 * @param others Scopes that held at the host in the scan that has a finding at this port.
 */
export function portTried(
  scopes: readonly Scope[],
  port: number,
  protocol: () => string | undefined,
  others: readonly Scope[] = [],
): boolean {
  const tcp = wasTried('tcp', scopes, port, others);
  const udp = wasTried('udp', scopes, port, others);
  if (tcp === udp) return tcp;
  const asked = protocol() ?? 'tcp';
  return tcp ? asked === 'tcp' : asked === 'udp';
}

const LISTS = { tcp: 'tcpList', udp: 'udpList' } as const;

function wasTried(side: 'tcp' | 'udp', scopes: readonly Scope[], port: number, others: readonly Scope[]): boolean {
  if (isNamed(side, scopes, port)) return true;
  const list = LISTS[side];
  const isShared = scopes.some(
    (scope) => scope[list] !== undefined && others.some((other) => other[list] === scope[list]),
  );
  return isShared && !isNamed(side, others, port);
}

const isNamed = (side: 'tcp' | 'udp', scopes: readonly Scope[], port: number): boolean =>
  scopes.some((scope) => scope[side]?.has(port) === true);

/** Whether a report that names every port that is not closed says this one answered; then, without a finding, it was closed. */
export const portAnswered = (scopes: readonly Scope[], port: number, protocol: string | undefined): boolean =>
  (protocol === 'tcp' || protocol === 'udp') &&
  isNamed(
    protocol,
    scopes.filter((scope) => scope.portsAnswered),
    port,
  );
