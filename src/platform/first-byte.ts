import { isSpace } from './json-scan.ts';

/** More white space than any writer puts before its first word. */
const MAX_BEFORE = 64 << 10;
const MARK = [0xef, 0xbb, 0xbf];

export interface Begun {
  /** First byte that is neither white space nor byte order mark; white space itself when there is too much of it. */
  readonly first: number | undefined;
  /** The one behind it. */
  readonly second: number | undefined;
  /** The whole source, from its beginning. To be read or returned, else it stays open. */
  readonly all: AsyncGenerator<unknown, void, undefined>;
}

/** Looks at the first two bytes of a source that can be read only once. */
export async function beginning(source: AsyncIterable<unknown>): Promise<Begun> {
  const iterator = source[Symbol.asyncIterator]();
  const held: unknown[] = [];
  const found: number[] = [];
  let seen = 0;
  while (found.length < 2 && seen < MAX_BEFORE) {
    const { done, value } = await iterator.next();
    if (done) break;
    held.push(value);
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    if (!(bytes instanceof Uint8Array)) continue;
    seen += bytes.length;
    addTelling(found, bytes);
    if (seen >= MAX_BEFORE && found.length === 0) found.push(bytes[0] ?? 0);
  }
  const [first, second] = found;
  return { first, second, all: replay(held, iterator) };
}

/** Adds what says something, up to two bytes of it. */
function addTelling(found: number[], bytes: Uint8Array): void {
  for (const byte of bytes) {
    if (found.length === 2) return;
    if (!isSpace(byte) && !MARK.includes(byte)) found.push(byte);
  }
}

async function* replay(held: unknown[], iterator: AsyncIterator<unknown>): AsyncGenerator<unknown, void, undefined> {
  try {
    yield* held.splice(0);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
