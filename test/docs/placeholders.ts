import { SEVERITIES } from '../../src/model/finding.ts';

const TIME = '2026-01-31T08:00:00.000Z';
const BY_KEY: Readonly<Record<string, unknown>> = {
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  fingerprint: '0123456789abcdef0123456789abcdef',
  version: '1.0.0',
};
/** Progress of a scan that did not reach its end. */
const PERCENT = 10;
const IS_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const SCAN_OR_FINDING = /scan_[0-9a-hjkmnp-tv-z]{20}(?:\.\d+)?/g;

/** Stands what differs from run to run in for words a page can show, and back. */
export interface Placeholders {
  /** Text of an answer, as the page shows it. */
  readonly show: (answer: string) => string;
  /** Arguments of the page, as they are sent. */
  readonly fill: (args: string) => string;
}

/** @param ports Ports of this run by the port the page shows. */
export function createPlaceholders(ports: ReadonlyMap<number, number>): Placeholders {
  const shownByReal = new Map<string, string>();
  const shown = (real: string, make: () => string): string => {
    const known = shownByReal.get(real) ?? make();
    shownByReal.set(real, known);
    return known;
  };
  const count = (pattern: RegExp): number => [...shownByReal.values()].filter((text) => pattern.test(text)).length;
  const scan = (id: string): string => shown(id, () => `scan_${count(/^scan_\d+$/) + 1}`);
  const place = (id: string): string => {
    const [scanId = '', number] = id.split('.');
    const name = scan(scanId);
    return number === undefined ? name : shown(id, () => `${name}.${count(new RegExp(`^${name}\\.`)) + 1}`);
  };
  const words = (text: string): string =>
    [...ports].reduce(
      (result, [inPage, real]) => result.replaceAll(new RegExp(`(?<=:|\\bport )${real}\\b`, 'g'), String(inPage)),
      text
        .replaceAll(SCAN_OR_FINDING, place)
        .replaceAll(/\b\d+ % done/g, `${PERCENT} % done`)
        .replaceAll(/\buntil \d{4}-[\d:.T-]+Z/g, `until ${TIME}`),
    );
  const portShown = (value: unknown): unknown => [...ports].find(([, real]) => real === value)?.[0] ?? value;

  const known = (key: string, value: unknown): unknown => {
    if (key === 'percent') return value === 100 ? value : PERCENT;
    if (key === 'port') return portShown(value);
    if (key === 'next_cursor') return shown(String(value), () => `cursor_${count(/^cursor_/) + 1}`);
    return BY_KEY[key];
  };
  const walk = (value: unknown, key = ''): unknown => {
    const replaced = known(key, value);
    if (replaced !== undefined) return replaced;
    if (typeof value === 'string') return IS_TIME.test(value) ? TIME : words(value);
    if (Array.isArray(value)) return (key === 'findings' ? inOrder(value) : value).map((entry) => walk(entry));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]: [string, unknown]) => [name, walk(part, name)]));
  };

  return {
    show: (answer) =>
      answer
        .split('\n')
        .map((line) => (line.startsWith('{') ? JSON.stringify(walk(JSON.parse(line))) : words(line)))
        .join('\n'),
    fill: (args) => {
      const ids = [...shownByReal].toSorted(([, a], [, b]) => b.length - a.length);
      const named = ids.reduce((text, [real, name]) => text.replaceAll(`"${name}"`, `"${real}"`), args);
      return [...ports].reduce((text, [inPage, real]) => text.replaceAll(`:${inPage}`, `:${real}`), named);
    },
  };
}

/**
 * Findings that are equally urgent come by fingerprint, which holds the port, and that differs from run to run. Only
 * what is equally urgent changes its place.
 */
function inOrder(findings: readonly unknown[]): unknown[] {
  const keyOf = (finding: unknown): readonly [number, string] => {
    const [severity, title, place] = ['severity', 'title', 'place'].map((key) => textAt(finding, key));
    return [SEVERITIES.findIndex((name) => name === severity), `${title} ${place}`];
  };
  return findings.toSorted((a, b) => {
    const [[rankA, nameA], [rankB, nameB]] = [keyOf(a), keyOf(b)];
    return rankB - rankA || nameA.localeCompare(nameB);
  });
}

function textAt(value: unknown, key: string): string {
  const part: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof part === 'string' ? part : '';
}
