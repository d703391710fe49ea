/** What begins a document, where several stand one after the other. */
export const XML_DECLARATION = '<?xml ';

const READABLE_ENCODINGS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Whether the encoding that a declaration names, if any, is UTF-8 or part of it. */
export const isReadableEncoding = (encoding: string | undefined): boolean =>
  !encoding || READABLE_ENCODINGS.has(encoding.toLowerCase());

/** A text of which each byte is a character. */
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

const LATIN_1 = /^<\?xml\s[^>]{0,100}\bencoding\s*=\s*["']iso-8859-1["']/i;

/** Whether a document that begins with these bytes says that it is in ISO-8859-1. */
export const declaresLatin1 = (head: Uint8Array): boolean => LATIN_1.test(latin1(head.subarray(0, 200)));

/** Whether the first bytes are those of UTF-16 or UTF-32: by their mark, or by a zero byte, which markup never begins with. */
export const isWide = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;

/** `nmaprun` of `<!DOCTYPE nmaprun>`: without an external id and an internal subset, so that it declares nothing. */
export const isBareDoctype = (doctype: string): boolean => /^\s*[\w:.-]+\s*$/.test(doctype);

/** Length of a start of `<?xml ` that ends the text: the next piece decides. */
export function unfinishedDeclaration(text: string): number {
  for (let length = XML_DECLARATION.length - 1; length > 0; length -= 1) {
    if (text.endsWith(XML_DECLARATION.slice(0, length))) return length;
  }
  return 0;
}
