import type { ReportEvent } from '../../model/report.ts';
import type { XmlAttributes } from '../../platform/xml.ts';
import { scriptKind } from './scripts.ts';

/** One `<scaninfo>`: which ports of which protocol were looked at. */
export interface PortScope {
  readonly protocol: string;
  readonly count: number;
}

/** tcp, udp, sctp or ip; a report may say anything. */
export const protocolName = (text: string): string => (/^[a-z]{1,8}$/.test(text) ? text : 'unknown');

export const portScope = (attributes: XmlAttributes): PortScope => ({
  protocol: protocolName(attributes['protocol'] ?? ''),
  count: Math.min(Math.max(0, Math.trunc(Number(attributes['numservices']) || 0)), 65_536),
});

/** Which kinds of check a run of nmap was, read from its own command line and port lists. */
export function checksOf(commandLine: string, scopes: readonly PortScope[]): Extract<ReportEvent, { kind: 'checks' }> {
  const words = commandLine.slice(0, 100_000).split(/\s+/);
  const isAll = words.includes('-A');
  const scripts = scriptWords(commandLine, isAll || words.includes('-sC'));
  const lookedFor = scopes.map(({ protocol, count }) => `${protocol} ports (${count})`);
  const notLookedFor: string[] = [];
  const either = (ran: boolean, check: string, why: string): void => {
    if (ran) lookedFor.push(check);
    else notLookedFor.push(`${check}: ${why}`);
  };
  for (const protocol of ['tcp', 'udp']) {
    const count = scopes.find((scope) => scope.protocol === protocol)?.count;
    if (count === undefined) notLookedFor.push(`${protocol.toUpperCase()} ports: not part of this scan`);
    else if (count < 65_535) notLookedFor.push(`${protocol.toUpperCase()} ports outside the list of ${count}`);
  }
  either(isAll || words.some((word) => word.startsWith('-sV')), 'service versions', 'not part of this scan');
  either(scripts.length > 0, nameScripts(scripts), 'not part of this scan');
  if (scripts.every((script) => script === 'default' || scriptKind(script) === 'safe')) {
    notLookedFor.push('intrusive scripts: not part of this scan');
  }
  return { kind: 'checks', lookedFor, notLookedFor };
}

function scriptWords(commandLine: string, isDefault: boolean): readonly string[] {
  const asked = [...commandLine.slice(0, 100_000).matchAll(/--script(?:=|\s+)("[^"]*"|\S+)/g)].map(
    ([, names]) => names,
  );
  const names = asked.flatMap((text) => (text ?? '').replaceAll('"', '').split(',')).map((name) => name.trim());
  return [...(isDefault ? ['default'] : []), ...names.filter(Boolean).map((name) => expression(name))];
}

/** A script, category, path or pattern with `*`; not the prose that a foreign command line may hold. */
const expression = (name: string): string => (/^[\w.*/+-]{1,100}$/.test(name) ? name : '(unusual name)');

const nameScripts = (scripts: readonly string[]): string =>
  scripts.length > 0 ? `nse scripts: ${scripts.join(', ').slice(0, 8_000)}` : 'nse scripts';
