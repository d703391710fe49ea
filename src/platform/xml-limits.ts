/** The parser has no limits of its own; a report is hostile input. Lengths in UTF-16 units. */
export interface XmlLimits {
  readonly depth: number;
  readonly textChars: number;
  readonly attributeChars: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Elements of the whole stream. */
  readonly elements: number;
}

const DEFAULT_LIMITS: XmlLimits = {
  depth: 64,
  textChars: 4 << 20,
  attributeChars: 64 << 10,
  attributes: 256,
  elements: Number.MAX_SAFE_INTEGER,
};

/** Text is given to the parser in pieces of this length, so that results come out between them. */
export const XML_PIECE_CHARS = 64 << 10;

/** Counts what a document holds against its limits. */
export class XmlMeter {
  readonly #limits: XmlLimits;
  readonly #refuse: (found: string) => never;
  #elements = 0;
  #attributes = 0;
  #attributeChars = 0;
  /** Characters given to the parser since it last said anything: what it keeps in memory. */
  #silentChars = 0;
  /** Elements that are open. */
  depth = 0;

  /** @param refuse Throws with what was found: `too long a text`. */
  constructor(limits: Partial<XmlLimits>, refuse: (found: string) => never) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#refuse = refuse;
  }

  /** The elements of all documents count together. */
  nextDocument(): void {
    this.depth = 0;
    this.#silentChars = 0;
  }

  fed(chars: number): void {
    this.#silentChars += chars;
  }

  heard(): void {
    this.#silentChars = 0;
  }

  checkSilence(): void {
    const { textChars, attributeChars } = this.#limits;
    if (this.#silentChars > Math.max(textChars, attributeChars) + XML_PIECE_CHARS) this.#refuse('too long a text');
  }

  text(chars: number): void {
    this.#silentChars = 0;
    if (chars > this.#limits.textChars) this.#refuse('too long a text');
  }

  attribute(chars: number): void {
    this.#silentChars = 0;
    this.#attributes += 1;
    this.#attributeChars += chars;
    const { attributes, attributeChars } = this.#limits;
    if (this.#attributes > attributes) this.#refuse('too many attributes');
    if (chars > attributeChars) this.#refuse('too long an attribute');
    // Together they stay in memory until the tag ends.
    if (this.#attributeChars > attributeChars * 4) this.#refuse('too long attributes');
  }

  open(): void {
    this.#silentChars = 0;
    this.#attributes = 0;
    this.#attributeChars = 0;
    this.depth += 1;
    this.#elements += 1;
    if (this.depth > this.#limits.depth) this.#refuse('elements nested too deep');
    if (this.#elements > this.#limits.elements) this.#refuse('too many elements');
  }

  close(): void {
    this.#silentChars = 0;
    this.depth -= 1;
  }
}
