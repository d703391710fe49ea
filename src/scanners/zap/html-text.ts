import { textOf, wordIn } from '../json-fields.ts';

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
const MAX_CHARS = 64 << 10;

/**
 * The paragraphs of the little HTML that ZAP writes into descriptions. The tags are taken out before the entities are
 * resolved: what a target wrote as `&lt;script&gt;` stays the text it was.
 */
export function paragraphsOf(html: unknown): string[] {
  const text = textOf(html)?.slice(0, MAX_CHARS) ?? '';
  return text
    .replace(/<\/p>|<br ?\/?>|<\/li>/gi, '\n')
    .replace(/<\/?(?:p|ul|ol|li|b|i|em|strong|code|pre|a|div|span)(?: [^<>]*)?>/gi, '')
    .split('\n')
    .map((line) => resolved(line).trim())
    .filter((line) => line !== '');
}

const resolved = (line: string): string =>
  line.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,6}));/gi,
    (entity, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return wordIn(NAMED, name.toLowerCase()) ?? entity;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : entity;
    },
  );
