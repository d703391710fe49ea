/** What the beginning of a JSON file shows of its shape: keys down to the third level, with the texts they hold. */
export interface JsonHead {
  readonly root: 'object' | 'list';
  /** Paths such as `runs[].tool.driver`; the value when it is a text, else undefined. */
  readonly paths: ReadonlyMap<string, string | undefined>;
}

const MAX_LEVELS = 3;
const MAX_PATHS = 5_000;
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|([{}[\],:])|([\w.+-]+))/gy;

/**
 * Looks at the head of a file, which may be cut anywhere. Only keys are looked at, so no text in a report can pretend to
 * be another format. Of a file of JSON lines it sees the first line.
 */
export function jsonHead(head: Buffer): JsonHead | undefined {
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return undefined;
  return { root: first === '{' ? 'object' : 'list', paths: pathsOf(text) };
}

interface Level {
  readonly prefix: string;
  readonly isObject: boolean;
}

function pathsOf(text: string): ReadonlyMap<string, string | undefined> {
  const reader = new HeadReader();
  for (const [, quoted, mark] of text.matchAll(TOKEN)) {
    if (quoted !== undefined) reader.text(textIn(quoted));
    else if (mark === undefined) reader.note(undefined);
    else reader.mark(mark);
    if (reader.isDone) break;
  }
  return reader.paths;
}

class HeadReader {
  readonly paths = new Map<string, string | undefined>();
  readonly #levels: Level[] = [];
  /** Path of the value that is due; undefined where a key is due. */
  #path: string | undefined = '';
  isDone = false;

  text(text: string): void {
    const level = this.#levels.at(-1);
    if (level?.isObject && this.#path === undefined)
      this.#path = level.prefix === '' ? text : `${level.prefix}.${text}`;
    else this.note(text);
  }

  mark(mark: string): void {
    if (mark === '{' || mark === '[') this.#open(mark === '{');
    else if (mark === '}' || mark === ']') {
      this.#levels.pop();
      if (this.#levels.length === 0) this.isDone = true;
    } else if (mark === ':') {
      // The value may be longer than the head.
      this.note(undefined);
    } else if (mark === ',') {
      const level = this.#levels.at(-1);
      this.#path = level?.isObject ? undefined : level?.prefix;
    }
  }

  note(value: string | undefined): void {
    const path = this.#path;
    // Lists are levels too: `runs[].tool.driver` is four deep.
    if (path === undefined || path === '' || this.#levels.length > MAX_LEVELS + 1) return;
    if (value === undefined ? this.paths.has(path) : this.paths.get(path) !== undefined) return;
    this.paths.set(path, value);
    if (this.paths.size >= MAX_PATHS) this.isDone = true;
  }

  #open(isObject: boolean): void {
    this.note(undefined);
    const prefix = `${this.#path ?? ''}${isObject ? '' : '[]'}`;
    this.#levels.push({ prefix, isObject });
    this.#path = isObject ? undefined : prefix;
  }
}

function textIn(quoted: string): string {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : '';
  } catch {
    return '';
  }
}
