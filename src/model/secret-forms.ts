/**
 * A secret shorter than this (in UTF-16 units) cannot be masked: it stands in every report by chance, so that masking it
 * would destroy reports and tell what it is. Credentials with one are refused where they are resolved.
 */
export const MIN_SECRET_CHARS = 4;

/** A line of a key this long or shorter says too little of it to be worth a hole in a report. */
const LONGEST_PLAIN_LINE = 15;
/** `-----BEGIN ...-----`: says nothing about the key, and scanners report keys that others left lying about. */
const PEM_BORDER = /^-----(?:BEGIN|END) [\w ]+-----$/;

/**
 * Every spelling in which a report, a message or a log may repeat one of these secrets, as bytes: as it is, escaped for
 * JSON, XML and URLs the way the usual libraries do it, and within base64, wherever it starts there; also one in another
 * (a request in JSON, quoted in a report in JSON). Secrets of several lines count as a whole and line by line.
 */
export function secretForms(secrets: readonly string[]): Uint8Array[] {
  const texts = new Set(secrets.flatMap(partsOf).flatMap(nested));
  const forms = new Set<string>();
  for (const text of texts) {
    for (const form of [...jsonForms(text), ...xmlForms(text), ...urlForms(text), ...base64Forms(text)])
      forms.add(form);
  }
  return [...forms].map((form) => Buffer.from(form, 'utf8')).filter(({ length }) => length >= MIN_SECRET_CHARS);
}

/** The text, and how it stands in the JSON or XML that a report quotes. */
const nested = (text: string): string[] => {
  const xml = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [text, JSON.stringify(text).slice(1, -1), xml, xml.replaceAll('"', '&quot;')];
};

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
  const all = [...base, ...ascii];
  return [text, ...all, ...all.map(upperEscapes)];
}

/** Which of the five characters become references, and which ones, is up to every library. */
const XML_STYLES = ['>', '&gt;'].flatMap((gt) =>
  ['"', '&quot;', '&#34;'].flatMap((quot) =>
    ["'", '&apos;', '&#39;', '&#039;', '&#x27;'].map(
      (apos) =>
        new Map([
          ['&', '&amp;'],
          ['<', '&lt;'],
          ['>', gt],
          ['"', quot],
          ["'", apos],
        ]),
    ),
  ),
);

function xmlForms(text: string): string[] {
  return XML_STYLES.flatMap((style) => {
    const form = text.replace(/[&<>"']/g, (char) => style.get(char) ?? char);
    const references = (radix: 10 | 16, mark: string): string =>
      form.replace(/[^\0-\x7f]/gu, (char) => `&#${mark}${(char.codePointAt(0) ?? 0).toString(radix)};`);
    const hex = references(16, 'x');
    return [
      form,
      references(10, ''),
      hex,
      hex.replace(/&#x[0-9a-f]+;/g, (part) => `&#x${part.slice(3).toUpperCase()}`),
    ];
  });
}

/** As a component, strictly (RFC 3986), as a form field, as a path, and as part of a whole URL. */
function urlForms(text: string): string[] {
  // Half a character has no UTF-8, and so no such form.
  const whole = text.replace(/\p{Cs}/gu, '\ufffd');
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
 * bytes where it may start (`user:password` is encoded as one text); and its own base64 with the padding.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const inside = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((8 * shift) / 6), Math.floor((8 * (shift + bytes.length)) / 6));
  });
  const all = [bytes.toString('base64'), ...inside];
  return [...all, ...all.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
