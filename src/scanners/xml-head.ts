/** Names of the first elements of an XML text, without their prefixes. */
export interface XmlHead {
  readonly root: string;
  /** Names of the attributes of the root. */
  readonly rootAttributes: readonly string[];
  /** Names of all elements that begin in the head, the root first; at most `MOST_NAMES`. */
  readonly names: readonly string[];
}

const MOST_NAMES = 2_000;
const NAME = /[A-Za-z_][\w.:-]*/y;
const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"[^"]*"|'[^']*')/y;

/** The markup that is not an element: what opens it, and what ends it. */
const OTHER: readonly (readonly [string, string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
];

/**
 * What kind of XML a file may be, from its beginning, which may be cut anywhere. Only the markup is looked at: a name
 * inside a text, a comment or CDATA is none. Undefined when it does not begin like XML.
 */
export function xmlHead(head: Buffer): XmlHead | undefined {
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  if (!/^\s*</.test(text)) return undefined;
  const names: string[] = [];
  let rootAttributes: readonly string[] = [];
  for (let at = text.indexOf('<'); at !== -1 && names.length < MOST_NAMES; at = text.indexOf('<', at)) {
    const other = OTHER.find(([opening]) => text.startsWith(opening, at));
    if (other) {
      const end = text.indexOf(other[1], at + other[0].length);
      if (end === -1) break;
      at = end;
      continue;
    }
    at += 1;
    NAME.lastIndex = at;
    const name = NAME.exec(text)?.[0];
    if (name === undefined) continue;
    at += name.length;
    if (names.length === 0) rootAttributes = attributesAt(text, at);
    names.push(localName(name));
  }
  const root = names[0];
  return root === undefined ? undefined : { root, rootAttributes, names };
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

function attributesAt(text: string, from: number): readonly string[] {
  const names: string[] = [];
  ATTRIBUTE.lastIndex = from;
  for (let match = ATTRIBUTE.exec(text); match?.[1] !== undefined; match = ATTRIBUTE.exec(text)) names.push(match[1]);
  return names;
}
