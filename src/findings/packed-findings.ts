import type { Location, Occurrence, Untrusted } from '../model/finding.ts';

/**
 * Some findings of a report on their way to what writes them, which may be another thread: text and numbers are copied
 * in one go, an object would be walked through once on either side.
 */
export interface FindingBatch {
  /** Part of every fingerprint. */
  readonly engine: string;
  /** Rules that were not in an earlier batch, as JSON; their ids are the next ones. */
  readonly rules: readonly string[];
  /** The texts of all findings, one after the other, with one byte per character or two. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** `WIDTH` for each finding. */
  readonly numbers: Uint32Array<ArrayBuffer>;
}

/** One finding as it comes out of a batch. */
export interface UnpackedFinding {
  readonly rule: number;
  readonly ruleId: string;
  readonly locationJson: string;
  readonly occurrence: Occurrence;
}

export interface Packer {
  /** The rule of the next id. */
  readonly addRule: (json: string) => void;
  add(engine: string, rule: { readonly id: number; readonly ruleId: string }, occurrence: Occurrence): void;
  /** Hands over what is left. Call once, at the end. */
  flush(): void;
}

const MOST_FINDINGS = 256;
const FULL_BYTES = 256 << 10;
/** With room for the last finding, which is rarely longer. */
const TEXT_BYTES = FULL_BYTES + (64 << 10);

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
const TEXTS = ['output', 'banner', 'title', 'response'] as const;

/** Rule, bytes per character, lengths of rule id, location and `Rest` as JSON; of each text the length + 1, 0: none. */
const WIDTH = 5 + TEXTS.length;

/** What few findings have. */
type Rest = Omit<Occurrence, 'location' | 'untrusted'>;

const restJson = ({ discriminator, compliance, report_state }: Occurrence): string =>
  discriminator === undefined && compliance === undefined && report_state === undefined
    ? ''
    : JSON.stringify({ discriminator, compliance, report_state });

/** @param give Gets each batch when it is full; called within `add` and `flush`. The batch is its own to keep or pass on. */
export function createPacker(give: (batch: FindingBatch) => void): Packer {
  let engine = '';
  let rules: string[] = [];
  let ruleChars = 0;
  let count = 0;
  let numbers = new Uint32Array(MOST_FINDINGS * WIDTH);
  let text = Buffer.allocUnsafeSlow(TEXT_BYTES);
  let used = 0;

  const flush = (): void => {
    if (count === 0 && rules.length === 0) return;
    const batch = { engine, rules, text: text.subarray(0, used), numbers: numbers.subarray(0, count * WIDTH) };
    numbers = new Uint32Array(MOST_FINDINGS * WIDTH);
    text = Buffer.allocUnsafeSlow(TEXT_BYTES);
    rules = [];
    ruleChars = used = count = 0;
    give(batch);
  };

  const write = (words: string): boolean => {
    const isWide = BEYOND_LATIN_1.test(words);
    const most = used + words.length * 2;
    if (most > text.length) text = Buffer.concat([text.subarray(0, used)], most);
    used += text.write(words, used, isWide ? 'utf16le' : 'latin1');
    return isWide;
  };

  return {
    addRule(json) {
      rules.push(json);
      ruleChars += json.length;
    },
    add(said, { id, ruleId }, occurrence) {
      engine = said;
      const location = JSON.stringify(occurrence.location);
      const rest = restJson(occurrence);
      let words = ruleId + location + rest;
      const from = count * WIDTH;
      numbers[from] = id;
      numbers[from + 2] = ruleId.length;
      numbers[from + 3] = location.length;
      numbers[from + 4] = rest.length;
      for (let index = 0; index < TEXTS.length; index += 1) {
        const part = occurrence.untrusted[TEXTS[index] ?? 'output'];
        if (part === undefined) continue;
        numbers[from + 5 + index] = part.length + 1;
        words += part;
      }
      numbers[from + 1] = write(words) ? 2 : 1;
      count += 1;
      if (count === MOST_FINDINGS || used + ruleChars >= FULL_BYTES) flush();
    },
    flush,
  };
}

/** The findings of a batch, in their order. */
export function unpack({ text, numbers }: FindingBatch, take: (finding: UnpackedFinding) => void): void {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  let at = 0;
  for (let from = 0; from < numbers.length; from += WIDTH) {
    const size = numbers[from + 1] ?? 1;
    const end = at + size * charsOf(numbers, from);
    const words = bytes.toString(size === 2 ? 'utf16le' : 'latin1', at, end);
    at = end;
    take(unpackOne(words, numbers, from));
  }
}

function charsOf(numbers: Uint32Array, from: number): number {
  let chars = (numbers[from + 2] ?? 0) + (numbers[from + 3] ?? 0) + (numbers[from + 4] ?? 0);
  for (let index = from + 5; index < from + WIDTH; index += 1) chars += Math.max(0, (numbers[index] ?? 0) - 1);
  return chars;
}

function unpackOne(words: string, numbers: Uint32Array, from: number): UnpackedFinding {
  let at = 0;
  const next = (length: number): string => {
    at += length;
    return words.slice(at - length, at);
  };
  const ruleId = next(numbers[from + 2] ?? 0);
  const locationJson = next(numbers[from + 3] ?? 0);
  const rest = next(numbers[from + 4] ?? 0);
  const untrusted: Untrusted = {};
  for (let index = 0; index < TEXTS.length; index += 1) {
    const length = numbers[from + 5 + index] ?? 0;
    if (length > 0) untrusted[TEXTS[index] ?? 'output'] = next(length - 1);
  }
  return {
    rule: numbers[from] ?? 0,
    ruleId,
    locationJson,
    occurrence: occurrenceOf(locationJson, rest, untrusted),
  };
}

/** No schema: both were made above, of what came out of it. */
function occurrenceOf(locationJson: string, restOfIt: string, untrusted: Untrusted): Occurrence {
  const location: Location = JSON.parse(locationJson);
  if (restOfIt === '') return { location, untrusted };
  const rest: Rest = JSON.parse(restOfIt);
  return { location, untrusted, ...rest };
}
