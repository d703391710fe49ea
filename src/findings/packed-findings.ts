import type { Location, Occurrence, RuleFacts, Untrusted } from '../model/finding.ts';
import { packedRuleChars, packRule, RULE_NUMBERS, unpackRule } from './packed-rules.ts';
import type { UnpackedRule } from './packed-rules.ts';

/**
 * Some findings of a report on their way to what writes them, which may be another thread: text and numbers are copied
 * in one go, an object would be walked through once on either side.
 */
export interface FindingBatch {
  /** Part of every fingerprint. */
  readonly engine: string;
  /** The texts of all rules and findings, with one byte per character or two. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** `RULE_WIDTH` for each rule that was not in an earlier batch; their ids are the next ones. */
  readonly rules: Float64Array<ArrayBuffer>;
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
  readonly addRule: (rule: RuleFacts) => void;
  add(engine: string, rule: { readonly id: number; readonly ruleId: string }, occurrence: Occurrence): void;
  /** Hands over what is left. Call once, at the end. */
  flush(): void;
  /** Takes back the memory of a batch that nobody needs any more. */
  readonly reuse: (memory: BatchMemory) => void;
}

/** The memory a batch lies in: what was allocated for each is garbage that the collector hardly sees. */
export type BatchMemory = Readonly<Record<'text' | 'rules' | 'numbers', ArrayBuffer>>;

export const memoryOf = ({ text, rules, numbers }: FindingBatch): BatchMemory => ({
  text: text.buffer,
  rules: rules.buffer,
  numbers: numbers.buffer,
});

const MOST_FINDINGS = 256;
const FULL_BYTES = 256 << 10;
/** With room for the last finding, which is rarely longer. */
const TEXT_BYTES = FULL_BYTES + (64 << 10);

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
const TEXTS = ['output', 'banner', 'title', 'response'] as const;

/** Where its text begins, bytes per character; then see packed-rules.ts. */
const RULE_WIDTH = 2 + RULE_NUMBERS;

/**
 * Where its text begins, bytes per character, rule, lengths of rule id, location and `Rest` as JSON; of each text the
 * length + 1, 0: none.
 */
const WIDTH = 6 + TEXTS.length;

/** What few findings have. */
type Rest = Omit<Occurrence, 'location' | 'untrusted'>;

const restJson = ({ discriminator, compliance, report_state }: Occurrence): string =>
  discriminator === undefined && compliance === undefined && report_state === undefined
    ? ''
    : JSON.stringify({ discriminator, compliance, report_state });

interface Sheet {
  text: Buffer<ArrayBuffer>;
  readonly rules: Float64Array<ArrayBuffer>;
  readonly numbers: Uint32Array<ArrayBuffer>;
}

/** Memory of more batches than this is given up: the other side is not that far behind for long. */
const MOST_SPARE = 8;

function createSheets(): { take(): Sheet; readonly reuse: Packer['reuse'] } {
  const spare: BatchMemory[] = [];
  return {
    take() {
      const memory = spare.pop();
      return memory
        ? {
            text: Buffer.from(memory.text),
            rules: new Float64Array(memory.rules),
            numbers: new Uint32Array(memory.numbers),
          }
        : {
            text: Buffer.allocUnsafeSlow(TEXT_BYTES),
            rules: new Float64Array(MOST_FINDINGS * RULE_WIDTH),
            numbers: new Uint32Array(MOST_FINDINGS * WIDTH),
          };
    },
    reuse(memory) {
      if (spare.length < MOST_SPARE && memory.text.byteLength <= TEXT_BYTES) spare.push(memory);
    },
  };
}

/** @param give Gets each batch when it is full; called within `add` and `flush`. The batch is its own to keep or pass on. */
export function createPacker(give: (batch: FindingBatch) => void): Packer {
  const sheets = createSheets();
  let engine = '';
  let sheet = sheets.take();
  let rules = 0;
  let count = 0;
  let used = 0;

  const flush = (): void => {
    if (count === 0 && rules === 0) return;
    const { text, ...numbers } = sheet;
    const batch = {
      engine,
      text: text.subarray(0, used),
      rules: numbers.rules.subarray(0, rules * RULE_WIDTH),
      numbers: numbers.numbers.subarray(0, count * WIDTH),
    };
    sheet = sheets.take();
    rules = used = count = 0;
    give(batch);
  };

  /** Writes a text and, in front of the numbers of whom it belongs to, where it is. */
  const write = (words: string, numbers: Float64Array | Uint32Array, at: number): void => {
    const isWide = BEYOND_LATIN_1.test(words);
    const most = used + words.length * (isWide ? 2 : 1);
    if (most > sheet.text.length) sheet.text = Buffer.concat([sheet.text.subarray(0, used)], most + FULL_BYTES);
    numbers[at] = used;
    numbers[at + 1] = isWide ? 2 : 1;
    used += sheet.text.write(words, used, isWide ? 'utf16le' : 'latin1');
  };

  return {
    addRule(rule) {
      const from = rules * RULE_WIDTH;
      write(packRule(rule, sheet.rules, from + 2), sheet.rules, from);
      rules += 1;
      if (rules === MOST_FINDINGS) flush();
    },
    add(said, { id, ruleId }, occurrence) {
      engine = said;
      const location = JSON.stringify(occurrence.location);
      const rest = restJson(occurrence);
      let words = ruleId + location + rest;
      const { numbers } = sheet;
      const from = count * WIDTH;
      numbers[from + 2] = id;
      numbers[from + 3] = ruleId.length;
      numbers[from + 4] = location.length;
      numbers[from + 5] = rest.length;
      for (let index = 0; index < TEXTS.length; index += 1) {
        const part = occurrence.untrusted[TEXTS[index] ?? 'output'];
        numbers[from + 6 + index] = part === undefined ? 0 : part.length + 1;
        if (part !== undefined) words += part;
      }
      write(words, numbers, from);
      count += 1;
      if (count === MOST_FINDINGS || used >= FULL_BYTES) flush();
    },
    flush,
    reuse: sheets.reuse,
  };
}

const decoded = (bytes: Buffer, at: number, size: number, chars: number): string =>
  bytes.toString(size === 2 ? 'utf16le' : 'latin1', at, at + size * chars);

/** The rules of a batch, in their order: before its findings, which may be of them. */
export function unpackRules({ text, rules }: FindingBatch, take: (rule: UnpackedRule) => void): void {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  for (let from = 0; from < rules.length; from += RULE_WIDTH) {
    const words = decoded(bytes, rules[from] ?? 0, rules[from + 1] ?? 1, packedRuleChars(rules, from + 2));
    take(unpackRule(words, rules, from + 2));
  }
}

/** The findings of a batch, in their order. */
export function unpack({ text, numbers }: FindingBatch, take: (finding: UnpackedFinding) => void): void {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  for (let from = 0; from < numbers.length; from += WIDTH) {
    const words = decoded(bytes, numbers[from] ?? 0, numbers[from + 1] ?? 1, charsOf(numbers, from));
    take(unpackOne(words, numbers, from));
  }
}

function charsOf(numbers: Uint32Array, from: number): number {
  let chars = (numbers[from + 3] ?? 0) + (numbers[from + 4] ?? 0) + (numbers[from + 5] ?? 0);
  for (let index = from + 6; index < from + WIDTH; index += 1) chars += Math.max(0, (numbers[index] ?? 0) - 1);
  return chars;
}

function unpackOne(words: string, numbers: Uint32Array, from: number): UnpackedFinding {
  let at = 0;
  const next = (length: number): string => {
    at += length;
    return words.slice(at - length, at);
  };
  const ruleId = next(numbers[from + 3] ?? 0);
  const locationJson = next(numbers[from + 4] ?? 0);
  const rest = next(numbers[from + 5] ?? 0);
  const untrusted: Untrusted = {};
  for (let index = 0; index < TEXTS.length; index += 1) {
    const length = numbers[from + 6 + index] ?? 0;
    if (length > 0) untrusted[TEXTS[index] ?? 'output'] = next(length - 1);
  }
  return {
    rule: numbers[from + 2] ?? 0,
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
