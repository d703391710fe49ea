/** A licence or what a person noted; more is not looked through for a declaration. */
const MOST_CHARS = 16 << 10;
const COMMENT = '<!--';
const COMMENT_END = '-->';
const DECLARATION = '<?xml';

/**
 * What stands before the declaration of a document: white space of a copied text, comments with a licence. XML has
 * nothing there, and no parser takes it.
 */
export class XmlLead {
  #held = '';
  #isOver = false;

  /** @returns what the parser is to read, and what was left out before it; neither while that cannot be told */
  push(piece: string): LeadSplit {
    if (this.#isOver) return { text: piece, left: '' };
    const all = this.#held + piece;
    const end = leadEnd(all);
    const rest = all.slice(end);
    this.#isOver = !mayGoOn(rest) || all.length > MOST_CHARS;
    this.#held = this.#isOver ? '' : all;
    if (!this.#isOver) return NOTHING;
    return /^<\?xml\s/.test(rest) ? { text: rest, left: all.slice(0, end) } : { text: all, left: '' };
  }

  /** What is held when nothing more comes. */
  rest(): string {
    const held = this.#held;
    this.#held = '';
    this.#isOver = true;
    return held;
  }
}

interface LeadSplit {
  readonly text: string;
  readonly left: string;
}

const NOTHING: LeadSplit = { text: '', left: '' };

/** Where white space and whole comments end. */
function leadEnd(text: string): number {
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1;
    const end = text.startsWith(COMMENT, at) ? text.indexOf(COMMENT_END, at + COMMENT.length) : -1;
    if (end === -1) return at;
    at = end + COMMENT_END.length;
  }
}

/** Whether what comes next decides: it stands within a comment, or within the beginning of one or of a declaration. */
const mayGoOn = (rest: string): boolean =>
  rest.startsWith(COMMENT) || COMMENT.startsWith(rest) || DECLARATION.startsWith(rest);
