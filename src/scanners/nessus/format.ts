import type { ReportFormat } from '../report-format.ts';
import { parseNessus } from './parse.ts';

/** `.nessus` exports of version 2 (Nessus 4.2 and later, Tenable Vulnerability Management, Security Center). */
export const nessusFormat: ReportFormat = {
  name: 'nessus',
  engine: 'nessus',
  detect: isNessus,
  parse: (report) => parseNessus(report),
};

/** Version 1 and unknown versions too: `parse` refuses them in words that help. */
const ROOT = /^<NessusClientData[\w.-]*[\s/>]/;

function isNessus(head: Buffer): boolean {
  const text = head.toString('utf8').replace(/^\u{feff}/u, '');
  return ROOT.test(text.slice(afterProlog(text)));
}

/** Where the first element begins: after white space, declarations and comments. */
function afterProlog(text: string): number {
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1;
    const end = prologEnd(text, at);
    if (end === undefined) return at;
    at = end;
  }
}

function prologEnd(text: string, at: number): number | undefined {
  for (const [start, end] of [
    ['<?', '?>'],
    ['<!--', '-->'],
    ['<!DOCTYPE', '>'],
  ] as const) {
    if (!text.startsWith(start, at)) continue;
    const found = text.indexOf(end, at + start.length);
    return found === -1 ? text.length : found + end.length;
  }
  return undefined;
}
