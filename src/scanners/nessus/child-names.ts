import { markOf, type Mark } from './plain-bytes.ts';
import { isAt, type Region } from './plain-xml.ts';
import { childOf, isOfTheHost } from './raw-item.ts';

/** The name of an element inside an item, as it stands in the report. */
export interface ChildName {
  /** `<cve>` */
  readonly open: Mark;
  /** `</cve>` */
  readonly close: Mark;
  /** Its number, when it is one we read. */
  readonly child: number | undefined;
  /** In an audit item: in others less is. */
  readonly isOfTheHost: boolean;
  /** What came behind it last and before that. */
  next: ChildName | undefined;
  other: ChildName | undefined;
}

/** Names of one letter are too short for a mark, and nobody has them. */
const NAME = /^[A-Za-z_][\w.:-]{1,99}$/;
const MOST_NAME_CHARS = 100;
/** Nessus has some 80 names. What has more than these is read by the XML parser. */
const MOST_NAMES = 1_000;
const LESS_THAN = 0x3c;

function named(name: string): ChildName {
  const child = childOf(name);
  return {
    open: markOf(`<${name}>`),
    close: markOf(`</${name}>`),
    child,
    isOfTheHost: child !== undefined && isOfTheHost(child, true),
    next: undefined,
    other: undefined,
  };
}

/**
 * Knows the names of children. They come in the same order in every item, so what followed a name last time is looked for
 * first: mostly a name is recognised without being cut out of the text.
 */
export class ChildNames {
  readonly #known = new Map<string, ChildName>();
  /** Stands before the first child. */
  readonly #start = named('__');
  /** Stands behind the last one: the closing tag of the item, which looks like a child to begin with. */
  readonly end: ChildName;
  #last = this.#start;

  /** @param end name of the item */
  constructor(end: string) {
    this.end = named(`/${end}`);
    this.#known.set(`/${end}`, this.end);
  }

  /** An item begins. */
  restart(): void {
    this.#last = this.#start;
  }

  /** @returns the name of the tag without attributes that opens at `at`; undefined when there is none */
  at(region: Region, at: number): ChildName | undefined {
    const last = this.#last;
    const { next, other } = last;
    if (next && isAt(region, next.open, at)) return (this.#last = next);
    if (other && isAt(region, other.open, at)) return (this.#last = other);
    const found = this.#look(region.text, at);
    if (!found) return undefined;
    last.other = next;
    last.next = found;
    return (this.#last = found);
  }

  #look(text: string, at: number): ChildName | undefined {
    const close = text.indexOf('>', at);
    if (text.charCodeAt(at) !== LESS_THAN || close === -1 || close - at > MOST_NAME_CHARS + 1) return undefined;
    const name = text.slice(at + 1, close);
    const known = this.#known.get(name);
    if (known || !NAME.test(name) || this.#known.size >= MOST_NAMES) return known;
    // A copy: a part of a text keeps all of it in memory.
    const copy = Buffer.from(name, 'latin1').toString('latin1');
    const found = named(copy);
    this.#known.set(copy, found);
    return found;
  }
}
