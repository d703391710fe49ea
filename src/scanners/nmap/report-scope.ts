import type { ReportEvent, ReportScope } from '../../model/report.ts';
import { unitedRanges } from '../port-ranges.ts';
import type { PortScope } from './report-checks.ts';

/** What one document proves was looked for, at each of its hosts. */
export type DocumentScope = Omit<ReportScope, 'place'>;

/** Names of groups of scripts (and words between them); which scripts they stand for depends on the nmap that ran. */
const CATEGORIES: ReadonlySet<string> = new Set(
  'all and auth broadcast brute default discovery dos exploit external fuzzer intrusive malware not or safe version vuln'.split(
    ' ',
  ),
);

/**
 * Ports as `<scaninfo>` lists them, and the scripts that were asked for by their own names: those of a group are not
 * proven. Open ports are looked for wherever ports are.
 */
export function scopeOfDocument(scopes: readonly PortScope[], commandLine: string): DocumentScope | undefined {
  const [tcpPorts, udpPorts] = [portsOf(scopes, 'tcp'), portsOf(scopes, 'udp')];
  if (tcpPorts === undefined && udpPorts === undefined) return undefined;
  const rules = scriptsByName(commandLine).map((name) => `nse:${name}`);
  return {
    ...(tcpPorts === undefined ? {} : { tcpPorts }),
    ...(udpPorts === undefined ? {} : { udpPorts }),
    families: ['ports'],
    ...(rules.length > 0 ? { rules } : {}),
  };
}

function portsOf(scopes: readonly PortScope[], protocol: string): string | undefined {
  const lists = scopes.filter((scope) => scope.protocol === protocol).map(({ services }) => services);
  return lists.length === 0 ? undefined : unitedRanges(lists) || undefined;
}

/**
 * The command line is written without its quotes, so that an expression (`http-* and not http-brute`) ends at its first
 * space: a list followed by one of its words proves nothing.
 */
function scriptsByName(commandLine: string): readonly string[] {
  const lists = commandLine.slice(0, 100_000).matchAll(/\s--script[=\s]"?([^\s"]+)"?(?:\s+(\S+))?/g);
  const names = [...lists].flatMap(([, list, next]) => (isOperator(next) ? [] : (list ?? '').split(',')));
  return [...new Set(names)].filter((name) => /^[a-z0-9][a-z0-9-]{0,63}$/.test(name) && !CATEGORIES.has(name));
}

const isOperator = (word: string | undefined): boolean => /^(and|or|not)$/i.test(word ?? '');

/** Hosts that are remembered while it is unknown whether all documents looked for the same. */
const MOST_HOSTS = 100_000;

/** Gathers the scopes of all documents of one report. */
export interface ScopeLedger {
  note(address: string, scope: DocumentScope | undefined): void;
  /** One scope for the whole report where all documents looked for the same, else one for each host. */
  events(): Iterable<ReportEvent>;
}

export function createScopeLedger(): ScopeLedger {
  const hostsByScope = new Map<string, { scope: DocumentScope | undefined; hosts: Set<string> }>();
  let hosts = 0;
  return {
    note(address, scope) {
      const key = scope === undefined ? '' : JSON.stringify(scope);
      const entry = hostsByScope.get(key) ?? { scope, hosts: new Set() };
      if (!hostsByScope.has(key) && hostsByScope.size < 1_000) hostsByScope.set(key, entry);
      if (hosts >= MOST_HOSTS || entry.hosts.has(address)) return;
      entry.hosts.add(address);
      hosts += 1;
    },
    *events() {
      const isOne = hostsByScope.size === 1;
      for (const { scope, hosts: places } of hostsByScope.values()) {
        if (scope === undefined) continue;
        if (isOne) yield { kind: 'scope', scope };
        else for (const place of places) yield { kind: 'scope', scope: { place, ...scope } };
      }
    },
  };
}
