import { jsonHead } from '../json-head.ts';

/** `[INF] Templates loaded: 1`, with colours or without: what nuclei says of itself, in the file of its results. */
// oxlint-disable-next-line no-control-regex -- it is what colours begin with
const MESSAGE = /^\s{0,20}\[(?:\u001b\[[\d;]{0,10}m)?[A-Z]{3,5}(?:\u001b\[[\d;]{0,10}m)?\]/;

/** Its name in strokes, with the version behind it. */
const BANNER = /^(?=.*[/_\\])[ /_\\(),.]{8,80}(?:v\d[\w.-]{0,20})?\s*$/;
const MAKER = /^\s{0,20}projectdiscovery\.io\s*$/;

/** A line of `-stats` without `-stats-json`. */
const PROGRESS = /^\s{0,20}\[\d{1,6}:\d\d:\d\d\] \| /;

export const isMessage = (line: string): boolean =>
  [MESSAGE, BANNER, MAKER, PROGRESS].some((pattern) => pattern.test(line));

/** Whether `[` and what follows it begin a message; a list of results goes on with `{` or `]`. */
export const beginsMessage = (second: number | undefined): boolean =>
  second !== undefined && ((second >= 0x41 && second <= 0x5a) || (second >= 0x30 && second <= 0x39) || second === 0x1b);

/** A line of `-stats-json`, when both streams went to one file. @param has whether it has this key */
export const isStatistics = (has: (key: string) => boolean): boolean => ['duration', 'requests', 'total'].every(has);

const MOST_LINES = 1_000;

/** The head of a file from its first line that may be a result. */
export function fromFirstResult(head: Buffer): Buffer {
  let from = 0;
  for (let count = 0; count < MOST_LINES; count += 1) {
    const end = head.indexOf(0x0a, from);
    if (end === -1) break;
    const line = head.subarray(from, end);
    if (!isOther(line)) break;
    from = end + 1;
  }
  return head.subarray(from);
}

function isOther(line: Buffer): boolean {
  const text = line.toString('utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '' || isMessage(text)) return true;
  const shape = jsonHead(line);
  return shape?.root === 'object' && isStatistics((key) => shape.paths.has(key));
}
