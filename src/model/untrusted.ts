import { z } from 'zod';

/** Visible stand-in for one character that would act on a terminal, a log or a reader: `\u{1b}` for ESC. */
const visible = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/**
 * Control, format (bidirectional, zero-width, tags), private-use, lone surrogate, line/paragraph separator and
 * non-character code points, and what Unicode calls ignorable when displayed: variation selectors, Hangul fillers, the
 * combining grapheme joiner. The last ones are letters or marks by category, yet nobody sees them.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** Half of a surrogate pair at the end of text that was cut. */
const HALF_CHARACTER = /[\uD800-\uDBFF]$/;

const HTTP = /http(s?:\/\/)/gi;
const OTHER_SCHEME = /(?<!hxxps?):\/\//gi;
/** Only where a link would follow: `metadata: x` in a log stays as it is. The cut mark is no part of a link. */
const SCHEME_WITHOUT_SLASHES = /((?:javascript|vbscript|mailto)(?=:[^\s…])|data(?=:\w+\/\w)):/gi;
const BARE_WWW = /(www)\.(?=\w)/gi;
const MARKDOWN_LINK = /\]\(/g;

/** Found in every text that a pattern for schemes without slashes matches. */
const MAYBE_SCHEME = /(?:script|mailto|data):/i;

/**
 * Anything but printable ASCII, tab, newline, and the letters and signs of most living languages: nothing among those is
 * `ACTING`, which takes ten times as long to find nothing.
 */
const UNUSUAL =
  /[^\t\n\x20-\x7e\xa0-\xac\xae-\u034e\u0370-\u05ff\u0900-\u0eff\u2010-\u2027\u2030-\u205f\u20a0-\u2bff\u3000-\u3163\u3165-\u9fff\uac00-\ud7a3\uff01-\uff9f]/;

const [SLASH, LETTER_A, LETTER_O, LETTER_T, LETTER_W] = [0x2f, 0x61, 0x6f, 0x74, 0x77];
/** Of an ASCII letter, its lower case. */
const lower = (code: number): number => code | 0x20;

/** Whether a colon stands where a link has one. Jumping from colon to colon is faster than a pattern over the text. */
function hasLinkColon(text: string): boolean {
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) {
    if (text.charCodeAt(at + 1) === SLASH) return true;
    const last = lower(text.charCodeAt(at - 1));
    if (last === LETTER_A || last === LETTER_O || last === LETTER_T) return true;
  }
  return false;
}

function hasWww(text: string): boolean {
  for (let at = text.indexOf('.'); at !== -1; at = text.indexOf('.', at + 1)) {
    if (lower(text.charCodeAt(at - 1)) === LETTER_W && lower(text.charCodeAt(at - 2)) === LETTER_W) return true;
  }
  return false;
}

const withoutSchemes = (text: string): string =>
  text
    .replace(HTTP, (match, rest: string) => `${match.startsWith('H') ? 'H' : 'h'}xxp${rest}`)
    .replace(OTHER_SCHEME, '[:]//');

/**
 * Writes links the way the field does, so that no client makes them clickable: `hxxps://`, `ftp[:]//`, `www[.]`, and
 * no Markdown link or image. Each pattern is linear in the text and never matches its own result. Most text has no link,
 * so what all of them have is looked for first.
 */
function defang(text: string): string {
  let shown = text;
  if (hasLinkColon(shown)) {
    if (shown.includes('://')) shown = withoutSchemes(shown);
    if (MAYBE_SCHEME.test(shown)) shown = shown.replace(SCHEME_WITHOUT_SLASHES, '$1[:]');
  }
  if (hasWww(shown)) shown = shown.replace(BARE_WWW, '$1[.]');
  return shown.includes('](') ? shown.replace(MARKDOWN_LINK, '] (') : shown;
}

const DEFANGED = /hxxp|\[[:.]\]|\] \(/i;
const HXXP = /hxxp(s?:\/\/)/gi;
const WWW = /(www)\[\.\]/gi;

/** Links as they were before they were defanged. For comparing only: never show it. */
export const refang = (text: string): string =>
  DEFANGED.test(text)
    ? text
        .replace(HXXP, (match, rest: string) => `${match.startsWith('H') ? 'H' : 'h'}ttp${rest}`)
        .replaceAll('[:]', ':')
        .replace(WWW, '$1.')
        .replaceAll('] (', '](')
    : text;

/** Caps in UTF-16 units and marks the cut; never leaves half a character. */
function cap(text: string, maxLength: number, isCut: boolean): string {
  if (text.length <= maxLength && !isCut) return text;
  return `${text.slice(0, maxLength - 1).replace(HALF_CHARACTER, '')}…`;
}

/** Room for the mark with any number of characters. */
const COUNTED_MARK = 50;
/** A mark would be most of a shorter text. */
const SHORTEST_COUNTED = 200;
const LEFT_OUT = /… \((\d{1,15}) characters left out\)$/;

/** `cap`, with a mark that counts what is missing. @param unseen Characters after the text that were not even cleaned. */
function countedCap(text: string, maxLength: number, unseen: number): string {
  if (maxLength < SHORTEST_COUNTED) return cap(text, maxLength, unseen > 0);
  if (text.length <= maxLength && unseen === 0) return text;
  const kept = text.slice(0, maxLength - COUNTED_MARK).replace(HALF_CHARACTER, '');
  return `${kept}… (${text.length - kept.length + unseen} characters left out)`;
}

/** Cleaned text where there is less room for it: at most so many UTF-16 units, the last of which count what is missing. */
export const shortened = (text: string, maxLength: number): string => countedCap(text, maxLength, 0);

/** How many UTF-16 units a cleaned text says it lost to its cap; undefined when it is whole. */
export function charactersLeftOut(text: string, maxLength: number): number | undefined {
  // Half of the cap is the least that is left of a text that was over it: line ends may have shrunk.
  const left = text.length * 2 < maxLength - COUNTED_MARK ? undefined : LEFT_OUT.exec(text.slice(-COUNTED_MARK))?.[1];
  return left === undefined ? undefined : Number(left);
}

/** What can still be shown of very long text: cleaning the rest would only cost time. */
const headOf = (text: string, maxLength: number): string =>
  text.length > maxLength * 2 ? text.slice(0, maxLength * 2).replace(HALF_CHARACTER, '') : text;

/**
 * Text the scanned system wrote, made safe to show: acting characters are made visible (tab and newline stay), links
 * cannot be clicked, length is capped in UTF-16 units; a text that was cut ends with how many are left out. Cleaning
 * cleaned text changes nothing.
 */
export function cleanUntrusted(text: string, maxLength: number): string {
  const head = headOf(text, maxLength);
  const shown = UNUSUAL.test(head)
    ? head.replace(/\r\n?/g, '\n').replace(ACTING, (char) => (char === '\n' || char === '\t' ? char : visible(char)))
    : head;
  return countedCap(defang(shown), maxLength, text.length - head.length);
}

/** `cleanUntrusted` for text that is known to be nothing but printable ASCII, tab and newline. */
export function cleanPlainUntrusted(text: string, maxLength: number): string {
  const head = headOf(text, maxLength);
  return countedCap(defang(head), maxLength, text.length - head.length);
}

/** One line of cleaned text that is not a link to defang: host names, locations, imported titles. */
export function cleanLine(text: string, maxLength: number): string {
  const head = headOf(text, maxLength);
  const shown = UNUSUAL.test(head) ? head.replace(/[\n\r\t]/g, ' ').replace(ACTING, visible) : spaced(head);
  return cap(shown.trim(), maxLength, head.length < text.length);
}

/** `cleanLine` for text that is known to be nothing but printable ASCII, tab and newline. */
export function cleanPlainLine(text: string, maxLength: number): string {
  const head = headOf(text, maxLength);
  return cap(spaced(head).trim(), maxLength, head.length < text.length);
}

/** Looking first is cheaper than replacing nothing. */
function spaced(text: string): string {
  const line = text.includes('\n') ? text.replaceAll('\n', ' ') : text;
  return line.includes('\t') ? line.replaceAll('\t', ' ') : line;
}

/** Schema of target-written text; cleaning happens while parsing, so that no path can skip it. */
export const untrustedText = (maxLength: number) => z.string().overwrite((text) => cleanUntrusted(text, maxLength));

/** Schema of one cleaned line. */
export const lineText = (maxLength: number) => z.string().overwrite((text) => cleanLine(text, maxLength));
