import type { ReportEvent, ReportScope } from '../../model/report.ts';
import { portsIn, unitedRanges } from '../port-ranges.ts';
import type { AskedPorts, PortAnswers } from './port-answers.ts';
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

/** How many ports of all protocols a host of the document must say something of for the rest to be known. */
export const askedPorts = (scopes: readonly PortScope[], commandLine: string): AskedPorts => ({
  isOpenOnly: /\s--open(?:\s|$)/.test(commandLine),
  count: [...new Set(scopes.map(({ protocol }) => protocol))].reduce((sum, protocol) => {
    const ports = portsOf(scopes, protocol);
    return sum + (ports === undefined ? 0 : portsIn(ports));
  }, 0),
});

/** Scopes remembered within one document: most hosts of it answer in one of a few ways. */
const MOST_KEPT = 1_000;
const LONGEST_KEY = 4_000;

/** What of a document's scope holds for one host: only ports that gave an answer, open or closed. */
export function createHostScopes(document: DocumentScope | undefined) {
  const kept = new Map<string, DocumentScope>();
  return (answers: PortAnswers): DocumentScope | undefined => {
    if (document === undefined) return undefined;
    const key = answers.key();
    const known = kept.get(key) ?? narrowed(document, answers);
    if (kept.size < MOST_KEPT && key.length <= LONGEST_KEY) kept.set(key, known);
    return known;
  };
}

function narrowed({ tcpPorts, udpPorts, ...rest }: DocumentScope, answers: PortAnswers): DocumentScope {
  const tcp = tcpPorts === undefined ? undefined : answers.among('tcp', tcpPorts);
  const udp = udpPorts === undefined ? undefined : answers.among('udp', udpPorts);
  return {
    ...(tcp === undefined ? {} : { tcpPorts: tcp }),
    ...(udp === undefined ? {} : { udpPorts: udp }),
    portsAnswered: true,
    ...rest,
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

/** Characters of all scopes of a report: what is beyond is not proven, and the rest still is. */
const MOST_CHARS = 8 << 20;
const MOST_SCOPES = 20_000;

/** Hosts that are remembered while it is unknown whether all documents looked for the same. */
const MOST_HOSTS = 90_000;

/** Gathers the scopes of all documents of one report. */
export interface ScopeLedger {
  note(address: string, scope: DocumentScope | undefined): void;
  /** One scope for the whole report where all documents looked for the same, else one for each host. */
  events(): Iterable<ReportEvent>;
}

export function createScopeLedger(): ScopeLedger {
  const hostsByScope = new Map<string, { scope: DocumentScope | undefined; hosts: Set<string> }>();
  let hosts = 0;
  let chars = 0;
  let isCut = false;
  return {
    note(address, scope) {
      const key = scope === undefined ? '' : JSON.stringify(scope);
      const entry = hostsByScope.get(key) ?? { scope, hosts: new Set() };
      if (!hostsByScope.has(key)) {
        // Even a first scope that is not kept must keep the others from standing for all hosts.
        chars += key.length;
        isCut ||= hostsByScope.size >= MOST_SCOPES || chars > MOST_CHARS;
        if (hostsByScope.size >= MOST_SCOPES || chars > MOST_CHARS) return;
        hostsByScope.set(key, entry);
      }
      if (hosts >= MOST_HOSTS || entry.hosts.has(address)) return;
      entry.hosts.add(address);
      hosts += 1;
    },
    *events() {
      const isOne = hostsByScope.size === 1 && !isCut;
      let said = 0;
      for (const { scope, hosts: places } of hostsByScope.values()) {
        if (scope === undefined) continue;
        if (isOne) yield { kind: 'scope', scope };
        else {
          const size = JSON.stringify(scope).length + 100;
          for (const place of places) {
            said += size;
            if (said > MOST_CHARS) break;
            yield { kind: 'scope', scope: { place, ...scope } };
          }
        }
      }
    },
  };
}
