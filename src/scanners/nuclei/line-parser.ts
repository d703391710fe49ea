import { randomUUID } from 'node:crypto';
import { isObject } from '../json-fields.ts';

const KEY = '"info":';
const TEMPLATE_KEYS = ['"template-id":"', '"templateID":"'];
const MAX_ID = 200;
const MAX_TEMPLATES = 20_000;
const MAX_CHARS = 32 << 20;
const MAX_INFO = 64 << 10;

interface Known {
  readonly text: string;
  readonly info: object;
}

/**
 * `JSON.parse` for lines of nuclei. More than half of a line is the `info` of its template, the same text in every line:
 * where it was seen before, only the rest is parsed, and `info` is the object of the first time.
 *
 * The result is that of `JSON.parse`: the text is replaced by a mark where `,"info":` stands, which cannot be inside a
 * string (its quotes would be escaped), and if that was not the `info` of the line itself (but one nested in it, or the
 * first of two) then `info` is not the mark afterwards, and the line is parsed as a whole. No report can guess the mark.
 * @throws SyntaxError as JSON.parse does
 */
export function createLineParser(): (text: string) => unknown {
  const known = new Map<string, Known>();
  const mark = randomUUID();
  let chars = 0;
  const remember = (id: string, text: string): void => {
    const info: unknown = JSON.parse(text);
    if (!isObject(info)) return;
    if (known.size >= MAX_TEMPLATES || chars > MAX_CHARS) {
      known.clear();
      chars = 0;
    }
    known.set(id, { text, info });
    chars += text.length;
  };
  const whole = (text: string, id: string, at: number): unknown => {
    const value: unknown = JSON.parse(text);
    const end = endOfObject(text, at);
    if (end !== -1 && end - at <= MAX_INFO) remember(id, text.slice(at, end));
    return value;
  };
  return (text) => {
    const id = templateIdIn(text);
    const at = id === undefined ? -1 : startOfInfo(text);
    if (id === undefined || at === -1) return JSON.parse(text);
    const found = known.get(id);
    if (!found || !text.startsWith(found.text, at)) return whole(text, id, at);
    const value: unknown = JSON.parse(`${text.slice(0, at)}"${mark}"${text.slice(at + found.text.length)}`);
    return isObject(value) && value['info'] === mark ? Object.assign(value, { info: found.info }) : whole(text, id, at);
  };
}

/** Only a key for what was seen before: it need not be the right one. */
function templateIdIn(text: string): string | undefined {
  for (const key of TEMPLATE_KEYS) {
    const from = text.indexOf(key);
    if (from === -1) continue;
    const end = text.indexOf('"', from + key.length);
    return end === -1 || end - from > MAX_ID ? undefined : text.slice(from + key.length, end);
  }
  return undefined;
}

/** Where the value of the first `info` begins, when it is an object. */
function startOfInfo(text: string): number {
  const key = text.indexOf(KEY);
  const before = text[key - 1];
  const at = key + KEY.length;
  return key > 0 && (before === ',' || before === '{') && text[at] === '{' ? at : -1;
}

/** Index behind the object that begins at `from`, in text that is JSON. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}
