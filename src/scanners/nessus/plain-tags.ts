import { attributeOf, skipWhite, textOf, type Region } from './plain-xml.ts';

export const TAGS_START = '<HostProperties>';
export const TAGS_END = '</HostProperties>';

const OPEN = '<tag name="';
const CLOSE = '</tag>';
const MOST_NAME_CHARS = 16 << 10;

/**
 * Reads the inside of `<HostProperties>`, which must be the whole region, without a parser.
 * @returns names and texts in turns; undefined when there is anything but plain `<tag name="...">text</tag>`
 */
export function readPlainTags(region: Region): readonly string[] | undefined {
  const { text } = region;
  const found: string[] = [];
  let at = skipWhite(text, 0);
  while (at < text.length) {
    const nameEnd = text.indexOf('">', at);
    const end = text.indexOf('<', nameEnd);
    if (!text.startsWith(OPEN, at) || nameEnd === -1 || end === -1 || !text.startsWith(CLOSE, end)) return undefined;
    if (nameEnd - at > MOST_NAME_CHARS) return undefined;
    const rawName = text.slice(at + OPEN.length, nameEnd);
    const name = rawName.includes('"') ? undefined : attributeOf(region, at + OPEN.length, nameEnd);
    const value = textOf(region, nameEnd + 2, end);
    if (name === undefined || value === undefined) return undefined;
    found.push(name, value);
    at = skipWhite(text, end + CLOSE.length);
  }
  return found;
}
