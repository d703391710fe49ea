/**
 * A secret shorter than this (in UTF-16 units) cannot be masked: it stands in every report by chance, so that masking it
 * would destroy reports and tell what it is. Credentials with one are refused where they are resolved.
 */
export const MIN_SECRET_CHARS = 4;

/** A line of a key this long or shorter says too little of it to be worth a hole in a report. */
const LONGEST_PLAIN_LINE = 15;
/** `-----BEGIN ...-----`: says nothing about the key, and scanners report keys that others left lying about. */
const PEM_BORDER = /^-----(?:BEGIN|END) [\w ]+-----$/;

/** All pairs of spellings of a text longer than this would take too much memory; the pairs that are usual are made. */
const LONGEST_IN_ALL_PAIRS = 128;

/**
 * Every spelling in which a report, a message or a log may repeat one of these secrets, as bytes: as it is, escaped for
 * JSON, XML and URLs the way the usual libraries do it, and within base64, wherever it starts there; and each of these in
 * each other (a URL in XML, a request in JSON quoted in a report in JSON). Some thousand for a short password with every
 * special character, few for one without. Secrets of several lines count as a whole and line by line.
 */
export function secretForms(secrets: readonly string[]): Uint8Array[] {
  const inner = new Set(secrets.flatMap(partsOf).flatMap(nested));
  const forms = new Set<string>();
  for (const text of inner) for (const form of spellings(text)) forms.add(form);
  return [...forms].map((form) => Buffer.from(form, 'utf8')).filter(({ length }) => length >= MIN_SECRET_CHARS);
}

const spellings = (text: string): string[] => [
  ...new Set([...jsonForms(text), ...xmlForms(text), ...urlForms(text), ...base64Forms(text)]),
];

/** The text, and how it stands in what a report quotes. */
function nested(text: string): string[] {
  if (text.length <= LONGEST_IN_ALL_PAIRS) return spellings(text);
  const xml = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const attribute = xml.replaceAll('"', '&quot;');
  const quoted = ['&apos;', '&#39;', '&#x27;'].map((apostrophe) => attribute.replaceAll("'", apostrophe));
  const url = encodeURIComponent(wellFormed(text));
  return [text, JSON.stringify(text).slice(1, -1), xml, attribute, ...quoted, url, url.replaceAll('%20', '+')];
}

/** What must not be seen of a secret: all of it, and each line that says much. */
function partsOf(secret: string): string[] {
  const whole = secret.replace(/[\r\n]+$/, '');
  const lines = whole.split(/\r?\n/);
  if (lines.length === 1) return whole.length < MIN_SECRET_CHARS ? [] : [whole];
  const long = lines.filter((line) => line.length > LONGEST_PLAIN_LINE && !PEM_BORDER.test(line));
  return [lines.join('\n'), lines.join('\r\n'), ...long];
}

const unicodeEscape = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const upperEscapes = (text: string): string =>
  text.replace(/\\u[0-9a-f]{4}/g, (escape) => `\\u${escape.slice(2).toUpperCase()}`);

/** The text itself and what stands between the quotes of its JSON: plain, `\/` (PHP), `\u003c` (Go, Gson), all ASCII. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const html = plain.replace(/[<>&\u2028\u2029]/g, unicodeEscape);
  const base = [plain, plain.replaceAll('/', '\\/'), html, html.replace(/[='<>&]/g, unicodeEscape)];
  const ascii = base.map((form) => form.replace(/[^\0-\x7f]+/g, unicodeEscape));
  const all = [...new Set([...base, ...ascii])];
  return [text, ...all, ...all.map(upperEscapes)];
}

/** Which of the five characters become references, and which ones, is up to every library. */
const XML_STYLES: readonly (readonly [string, readonly string[]])[] = [
  ['&', ['&amp;']],
  ['<', ['&lt;']],
  ['>', ['>', '&gt;']],
  ['"', ['"', '&quot;', '&#34;']],
  ["'", ["'", '&apos;', '&#39;', '&#039;', '&#x27;']],
];

function xmlForms(text: string): string[] {
  let forms = [text];
  for (const [char, references] of XML_STYLES) {
    if (!text.includes(char)) continue;
    forms = forms.flatMap((form) => references.map((reference) => form.replaceAll(char, reference)));
  }
  return forms.flatMap((form) => [form, ...numbered(form)]);
}

/** With references for all that is not ASCII. */
function numbered(form: string): string[] {
  if (!/[^\0-\x7f]/.test(form)) return [form.replace(/&#x[0-9a-f]+;/g, upperReference)];
  const references = (radix: 10 | 16, mark: string): string =>
    form.replace(/[^\0-\x7f]/gu, (char) => `&#${mark}${(char.codePointAt(0) ?? 0).toString(radix)};`);
  const hex = references(16, 'x');
  return [references(10, ''), hex, hex.replace(/&#x[0-9a-f]+;/g, upperReference)];
}

const upperReference = (part: string): string => `&#x${part.slice(3).toUpperCase()}`;

/** Half a character has no UTF-8, and so no form in a URL. */
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd');

/** As a component, strictly (RFC 3986), as a form field, as a path, and as part of a whole URL. */
function urlForms(text: string): string[] {
  const whole = wellFormed(text);
  const component = encodeURIComponent(whole);
  const strict = component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = strict.replaceAll('%20', '+').replaceAll('%2A', '*').replaceAll('~', '%7E');
  const all = [
    component,
    component.replaceAll('%20', '+'),
    strict,
    strict.replaceAll('%20', '+'),
    strict.replaceAll('%2F', '/'),
    form,
    encodeURI(whole),
  ];
  return [...all, ...all.map((text) => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()))];
}

/**
 * The characters of base64 that hold nothing but bits of the text, for each of the three places within a group of three
 * bytes where it may start (`user:password` is encoded as one text); and its own base64, with padding and without.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const inside = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((8 * shift) / 6), Math.floor((8 * (shift + bytes.length)) / 6));
  });
  const whole = bytes.toString('base64');
  const all = [whole, whole.replace(/=+$/, ''), ...inside];
  return [...all, ...all.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
