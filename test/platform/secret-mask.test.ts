import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecretMask, createTextMask, type SecretMask } from '../../src/platform/secret-mask.ts';

const join = (pieces: readonly Uint8Array[]): Buffer => Buffer.concat(pieces);

/** Cuts at the given places, each a share of the whole. */
function cut(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const places = [...shares.map((share) => Math.floor(share * bytes.length)), 0, bytes.length].toSorted(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const masked = (secrets: readonly string[], chunks: readonly Buffer[]): Buffer =>
  passed(createSecretMask(secrets), chunks);

/** A mask is as new after each use. */
function passed(mask: SecretMask | undefined, chunks: readonly Buffer[]): Buffer {
  if (!mask) return join(chunks);
  return join([...chunks.flatMap((chunk) => mask.push(Buffer.from(chunk))), ...mask.end()]);
}

interface Spelling {
  readonly write: (text: string) => string;
  /** What somebody who has the output could read in it. */
  readonly read: (output: string) => string;
}

const readJson = (output: string): string => {
  try {
    return String(JSON.parse(output));
  } catch {
    return ''; // the mask took a part of the syntax with it
  }
};

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#x27;', "'"],
  ['&amp;', '&'],
]);
const readXml = (output: string): string =>
  output.replace(/&(?:lt|gt|quot|amp|#x27);/g, (reference) => ENTITIES.get(reference) ?? '');

const readUrl = (output: string): string =>
  Buffer.from(
    output
      .replaceAll('+', ' ')
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/** From each place where a group of three bytes may begin. */
const readBase64 = (output: string): string =>
  output
    .split('***')
    .flatMap((part) => [0, 1, 2, 3].map((skip) => Buffer.from(part.slice(skip), 'base64').toString('utf8')))
    .join('\n');

const json = (change: (text: string) => string): Spelling => ({
  write: (text) => change(JSON.stringify(text)),
  read: readJson,
});
const xml = (names: string): Spelling => ({
  write: (text) =>
    text.replace(/[&<>"']/g, (char) => {
      const [reference = char] = [...ENTITIES].find(([, meant]) => meant === char) ?? [];
      return names.includes(char) ? reference : char;
    }),
  read: readXml,
});

/** Spellings of the usual libraries, written down anew. */
const SPELLINGS: Readonly<Record<string, Spelling>> = {
  plain: { write: (text) => text, read: (output) => output },
  json: json((text) => text),
  'json, slashes escaped': json((text) => text.replaceAll('/', '\\/')),
  'json, ASCII only': json((text) =>
    text.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ),
  'json in json': {
    write: (text) => JSON.stringify(JSON.stringify(text)),
    read: (output) => readJson(readJson(output)),
  },
  'json in xml': {
    write: (text) => xml('&<"').write(JSON.stringify(text)),
    read: (output) => readJson(readXml(output)),
  },
  'json of Go': json((text) => text.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)),
  'xml text': xml('&<>'),
  'xml attribute': xml('&<"'),
  'html of Python': xml(`&<>"'`),
  'url component': { write: (text) => encodeURIComponent(text).replaceAll('%20', '+'), read: readUrl },
  'url form': { write: (text) => new URLSearchParams({ q: text }).toString(), read: readUrl },
  base64: { write: (text) => Buffer.from(text).toString('base64'), read: readBase64 },
  base64url: { write: (text) => Buffer.from(text).toString('base64url'), read: readBase64 },
};

const SECRET = fc
  .oneof(
    fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' }),
    fc.string({ minLength: 4, maxLength: 24, unit: fc.constantFrom(...Array.from(`ab*#&<>"'/\\%+ =?~.é世`)) }),
  )
  .filter((text) => text.length >= 4 && !/[\r\n]/.test(text));

describe('a mask of secrets', () => {
  it.each(Object.entries(SPELLINGS))(
    'lets none through in %s, wherever the bytes are cut',
    (_name, { write, read }) => {
      fc.assert(
        fc.property(
          fc.array(SECRET, { minLength: 1, maxLength: 3 }),
          fc.string({ maxLength: 30 }),
          fc.string({ maxLength: 30 }),
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
          (secrets, before, after, shares) => {
            const mask = createSecretMask(secrets);
            for (const secret of secrets) {
              const bytes = Buffer.from(write(`${before}${secret}${after}`));
              const output = passed(mask, cut(bytes, shares)).toString();
              expect(output).not.toContain(secret);
              expect(read(output)).not.toContain(secret);
              expect(output).toBe(passed(mask, [bytes]).toString());
            }
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('leaves every byte of what is no secret as it is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (bytes, shares) => {
          const chunks = cut(Buffer.from(bytes), shares);
          expect(masked(['a secret that is not there'], chunks)).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  it('covers all that overlapping secrets cover, byte by byte', () => {
    expect(masked(['xabc', 'abcdefgh'], [Buffer.from('1xabcdefgh2')]).toString()).toBe('1***2');
    expect(masked(['abab'], [Buffer.from('1abababab2')]).toString()).toBe('1***2');
    expect(masked(['abcd', 'abcdefgh'], [Buffer.from('abcdefg abcdefgh')]).toString()).toBe('***efg ***');
    expect(masked(['abcdefghijkl'], [Buffer.from('abcdefghijk abcdefghijk')]).toString()).toBe('abcdefghijk ***');
  });

  it('makes no secret of its own: the mask is a character none of them holds', () => {
    expect(masked(['****'], [Buffer.from('x********x*****')]).toString()).toBe('x###x###');
  });

  it('knows the lines of a key that say something, and not its borders', () => {
    const lines = ['b3BlbnNzaC1rZXktdjEAAAAA', 'AAAAB3NzaC1yc2EAAAADAQABAAABgQC', 'shorttail='];
    const key = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
    const report = `found -----BEGIN OPENSSH PRIVATE KEY----- with ${lines[1]}; shorttail=`;
    expect(masked([key], [Buffer.from(report)]).toString()).toBe(
      'found -----BEGIN OPENSSH PRIVATE KEY----- with ***; shorttail=',
    );
    expect(masked([key], [Buffer.from(JSON.stringify({ key }))]).toString()).toBe('{"key":"***\\n"}');
    expect(masked([key], [Buffer.from(key.replaceAll('\n', '\r\n'))]).toString()).toBe('***\r\n');
  });

  it('finds a password in the base64 of an HTTP login', () => {
    const login = (user: string) => Buffer.from(`${user}:hunter2hunter2`).toString('base64');
    for (const user of ['a', 'ab', 'abc', 'abcd']) {
      const output = masked(['hunter2hunter2'], [Buffer.from(`Authorization: Basic ${login(user)}`)]).toString();
      const left = output.replace('Authorization: Basic ', '').split('***');
      expect(output).toContain('***');
      for (const part of left) expect(Buffer.from(part, 'base64').toString()).not.toContain('unter');
    }
  });

  it('holds back no more than the longest secret, whatever comes', () => {
    const secret = 'p'.repeat(1_000);
    const mask = createSecretMask([secret]);
    let given = 0;
    let passed = 0;
    for (let round = 0; round < 200; round += 1) {
      const chunk = Buffer.from('p'.repeat(round % 999) + 'q'.repeat(round % 7));
      given += chunk.length;
      passed += join(mask?.push(chunk) ?? []).length;
      expect(given - passed).toBeLessThan(6_000);
    }
    expect(passed + join(mask?.end() ?? []).length).toBe(given);
  });

  it('is not there for secrets that are too short to tell from a report', () => {
    expect(createSecretMask([])).toBeUndefined();
    expect(createSecretMask(['abc', ''])).toBeUndefined();
  });
});

describe('a mask of texts', () => {
  it('gives the same text back when nothing is in it', () => {
    const mask = createTextMask(['hunter2!']);
    expect(mask?.('nothing \ud800 here')).toBe('nothing \ud800 here');
    expect(mask?.('login hunter2! failed')).toBe('login *** failed');
    expect(mask?.('hunter2!')).toBe('***');
  });
});
