/** Less is given to the parser, which looks at every character of it. */
const LEAST_CHARS = 256 << 10;

/**
 * Passes over the rest of a long text that nobody reads: the parser would hold all of it until it ends. Only plain text
 * is passed over, which ends at the next `<`: right behind a tag, or behind text that follows one.
 */
export class LongText {
  /** Characters (UTF-16 units) of text given since the last tag; undefined where something else may have begun. */
  #chars: number | undefined;
  /** The parser stands in `&...;`, as far as the last piece shows. */
  #isInEntity = false;
  #tagEnd = -1;
  /** Characters and lines that the parser never saw. */
  passed = 0;
  passedLines = 0;

  /** Something else that the parser is not given. */
  leave(text: string): void {
    this.passed += text.length;
    this.passedLines += text.split('\n').length - 1;
  }

  /** @param position of the parser, right behind the `>` */
  tagEnds(position: number): void {
    this.#tagEnd = position;
  }

  /** The part of a piece that the parser must see: none of the text, if it is long already. */
  restOf(piece: string): string {
    if (this.#chars === undefined || this.#chars < LEAST_CHARS || this.#isInEntity) return piece;
    const end = piece.indexOf('<');
    const to = end === -1 ? piece.length : end;
    this.passed += to;
    for (let at = piece.indexOf('\n'); at !== -1 && at < to; at = piece.indexOf('\n', at + 1)) this.passedLines += 1;
    return piece.slice(to);
  }

  /** The parser has read this piece. @param before its position before that */
  fed(piece: string, before: number): void {
    // The name of a tag has one character at least: its `<` is further back.
    const from = this.#tagEnd > before ? Math.max(0, this.#tagEnd - before - 2) : 0;
    const isAfterTag = this.#tagEnd > before;
    if (piece.includes('<', from)) this.#chars = undefined;
    else if (isAfterTag) this.#chars = piece.length - from;
    else if (this.#chars !== undefined) this.#chars += piece.length;
    this.#tagEnd = -1;
    const entity = piece.lastIndexOf('&');
    this.#isInEntity = entity !== -1 ? !piece.includes(';', entity) : this.#isInEntity && !piece.includes(';');
  }
}
