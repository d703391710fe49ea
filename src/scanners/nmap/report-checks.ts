import type { ReportEvent } from '../../model/report.ts';
import type { XmlAttributes } from '../../platform/xml-reader.ts';
import { scriptKind } from './scripts.ts';

/** One `<scaninfo>`: which ports of which protocol were looked at. */
export interface PortScope {
  readonly protocol: string;
  readonly count: number;
  /** The ports themselves, like `1-1000,8080`; empty when the report does not say. */
  readonly services: string;
}

/** Long enough to name every second port by itself. */
const MAX_PORT_LIST_CHARS = 400_000;

/** tcp, udp, sctp or ip; a report may say anything. */
export const protocolName = (text: string): string => (/^[a-z]{1,8}$/.test(text) ? text : 'unknown');

export const portScope = (attributes: XmlAttributes): PortScope => ({
  protocol: protocolName(attributes['protocol'] ?? ''),
  count: Math.min(Math.max(0, Math.trunc(Number(attributes['numservices']) || 0)), 65_536),
  services: (attributes['services'] ?? '').slice(0, MAX_PORT_LIST_CHARS),
});

type Checks = Extract<ReportEvent, { kind: 'checks' }>;

/** Which ports a run of nmap looked at, and what it never does. */
export function portChecks(scopes: readonly PortScope[]): Checks {
  const lookedFor = scopes.map(({ protocol, count }) => `${protocol} ports${count > 0 ? ` (${count})` : ''}`);
  const notLookedFor = ['authenticated checks: nmap logs in nowhere'];
  for (const protocol of ['tcp', 'udp']) {
    const count = scopes.find((scope) => scope.protocol === protocol)?.count;
    if (count === undefined) notLookedFor.push(`${protocol.toUpperCase()} ports: not part of this scan`);
    else if (count === 0) notLookedFor.push(`${protocol.toUpperCase()} ports: the report does not say which were part`);
    else if (count < 65_535) notLookedFor.push(`${protocol.toUpperCase()} ports outside the list of ${count}`);
  }
  return { kind: 'checks', lookedFor, notLookedFor };
}

/**
 * Which checks of services a run was asked for, by its own command line. Without an open port none of them ran, whatever
 * was asked for.
 */
export function serviceChecks(commandLine: string, sawOpenPort: boolean): Checks {
  const words = commandLine.slice(0, 100_000).split(/\s+/);
  const isAll = words.includes('-A');
  const scripts = scriptWords(commandLine, isAll || words.includes('-sC'));
  const lookedFor: string[] = [];
  const notLookedFor: string[] = [];
  const either = (asked: boolean, check: string): void => {
    if (asked && sawOpenPort) lookedFor.push(check);
    else notLookedFor.push(`${check}: ${asked ? 'no port was open' : 'not part of this scan'}`);
  };
  either(isAll || words.some((word) => word.startsWith('-sV')), 'service versions');
  either(scripts.length > 0, nameScripts(scripts));
  if (scripts.every((script) => script === 'default' || scriptKind(script) === 'safe')) {
    notLookedFor.push('intrusive scripts: not part of this scan');
  }
  return { kind: 'checks', lookedFor, notLookedFor };
}

const BY_VERSION = 'known vulnerabilities by version (CVE)';

/** Scripts that ask a database what is known about a version. A group of scripts may hold them: then a result shows it. */
export const isVersionDatabase = (script: string): boolean => /^(vulners|vulscan)$/.test(script);

/** @param sawResult a script that asks a database of versions has given a result */
export function versionChecks(commandLine: string, sawResult: boolean): Checks {
  return sawResult || scriptWords(commandLine, false).some(isVersionDatabase)
    ? { kind: 'checks', lookedFor: [BY_VERSION], notLookedFor: [] }
    : { kind: 'checks', lookedFor: [], notLookedFor: [`${BY_VERSION}: nmap itself has no vulnerability database`] };
}

function scriptWords(commandLine: string, isDefault: boolean): readonly string[] {
  const asked = [...commandLine.slice(0, 100_000).matchAll(/--script(?:=|\s+)("[^"]*"|\S+)/g)].map(
    ([, names]) => names,
  );
  const names = asked.flatMap((text) => (text ?? '').replaceAll('"', '').split(',')).map((name) => name.trim());
  return [...(isDefault ? ['default'] : []), ...names.filter(Boolean).map((name) => expression(name))];
}

/** A long list says no more than its length; the names stand in the raw report. */
const MOST_NAMED = 8;

function nameScripts(scripts: readonly string[]): string {
  if (scripts.length === 0) return 'nse scripts';
  if (scripts.length > MOST_NAMED) return `nse scripts (${scripts.length})`;
  return `nse scripts: ${scripts.join(', ').slice(0, 500)}`;
}

const MOST_CHARS = 120;
const WORD = /^[\w.*/+-]{1,100}$/;
const OPERATORS = new Set(['and', 'or', 'not']);

/**
 * A script, category, path or pattern with `*`, or several of them joined by operators; not the prose that a foreign
 * command line may hold: two words side by side are no expression.
 */
function expression(text: string): string {
  if (text.length > MOST_CHARS) return '(long expression)';
  const parts = text.split(/\s+|([()])/).filter((part) => part !== undefined && part !== '');
  const isWord = (part: string | undefined): boolean =>
    part !== undefined && WORD.test(part) && !OPERATORS.has(part.toLowerCase());
  const isPlain = parts.every(
    (part, at) => '()'.includes(part) || (WORD.test(part) && !(isWord(part) && isWord(parts[at - 1]))),
  );
  return isPlain && parts.some(isWord) ? text.replace(/\s+/g, ' ') : '(unusual name)';
}
