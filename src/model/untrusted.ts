import { z } from 'zod';

/** Visible stand-in for one character that would act on a terminal, a log or a reader: `\u{1b}` for ESC. */
const visible = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/**
 * Control (except tab and newline), format (bidirectional, zero-width, tags), private-use, lone surrogate and
 * line/paragraph separator characters. Cf covers U+202A..E, U+2066..9, U+200B..F, U+FEFF and U+E0000..7F.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]/gu;

/** `https://` becomes `hxxps://`: the field's usual way to write a link nobody can click. */
const SCHEME = /\b(h)tt(ps?:\/\/)/gi;

/**
 * Text the scanned system wrote, made safe to show: acting characters are made visible, links cannot be clicked,
 * length is capped in UTF-16 units.
 */
export function cleanUntrusted(text: string, maxLength: number): string {
  const head = text.length > maxLength * 2 ? text.slice(0, maxLength * 2) : text;
  const shown = head
    .replace(/\r\n?/g, '\n')
    .replace(ACTING, (char) => (char === '\n' || char === '\t' ? char : visible(char)))
    .replace(SCHEME, '$1xx$2');
  return shown.length > maxLength ? `${shown.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : shown;
}

/** One line of cleaned text that is not a link to defang: host names, locations, imported titles. */
export function cleanLine(text: string, maxLength: number): string {
  const shown = text.replace(ACTING, (char) => (/[\n\r\t]/.test(char) ? ' ' : visible(char))).trim();
  return shown.length > maxLength ? `${shown.slice(0, maxLength - 1)}…` : shown;
}

/** Schema of target-written text; cleaning happens while parsing, so that no path can skip it. */
export const untrustedText = (maxLength: number) => z.string().overwrite((text) => cleanUntrusted(text, maxLength));

/** Schema of one cleaned line. */
export const lineText = (maxLength: number) => z.string().overwrite((text) => cleanLine(text, maxLength));
