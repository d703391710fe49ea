import type { Readable } from 'node:stream';
import { XML_PIECE_CHARS } from './xml-limits.ts';
import { XmlReader, type XmlHandlers, type XmlOptions } from './xml-reader.ts';

/**
 * Reads XML as a stream and yields what the handlers emit, piece by piece: memory stays flat, and a slow reader slows
 * the source. DTDs (but for a bare `<!DOCTYPE name>`), undefined entities, other encodings than UTF-8 and anything past
 * the limits are refused. What was complete before an error is yielded before it is thrown.
 * @param handlersFor Makes the handlers; `where` names the place read last, for their own errors.
 * @throws AppError report_unreadable, naming line and column
 */
export async function* readXml<Item>(
  source: Readable,
  handlersFor: (emit: (item: Item) => void, where: () => string) => XmlHandlers,
  options: XmlOptions,
): AsyncGenerator<Item, void, undefined> {
  let ready: Item[] = [];
  const take = (): Item[] => {
    const items = ready;
    ready = [];
    return items;
  };
  const reader: XmlReader = new XmlReader(
    handlersFor(
      (item) => void ready.push(item),
      () => reader.where(),
    ),
    options,
  );
  try {
    for await (const chunk of source) {
      for (const text of textsOf(chunk, reader)) {
        reader.write(text);
        yield* take();
      }
    }
    reader.finish();
  } catch (error) {
    yield* take();
    throw error;
  }
  yield* take();
}

/** Bytes are cut, not text: the parser reads a cut text several times slower, character by character through its whole. */
function* textsOf(chunk: unknown, reader: XmlReader): Generator<string> {
  const whole = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  if (!(whole instanceof Uint8Array)) throw new TypeError('an XML source gives bytes or text');
  for (let at = 0; at < whole.length; at += XML_PIECE_CHARS) {
    const text = reader.decode(whole.subarray(at, at + XML_PIECE_CHARS));
    if (text !== '') yield text;
    // What came before a bad byte was read by now: also the declaration that says why it is one.
    reader.checkBytes();
  }
}
