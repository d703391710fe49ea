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
  /** The texts of all findings, one after the other. */
  readonly narrow: string;
  /** The same of findings with characters beyond U+00FF: one of those would double the size of all texts. */
  readonly wide: string;
  /** `WIDTH` for each finding. */
  readonly numbers: Uint32Array;
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
  addRule(json: string): void;
  add(engine: string, rule: { readonly id: number; readonly ruleId: string }, occurrence: Occurrence): void;
  /** Hands over what is left. Call once, at the end. */
  flush(): void;
}

const MOST_FINDINGS = 256;
const MOST_CHARS = 256 << 10;

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
const TEXTS = ['output', 'banner', 'title', 'response'] as const;

/** Rule, whether its text is wide, lengths of rule id, location and `Rest` as JSON; of each text the length + 1, 0: none. */
const WIDTH = 5 + TEXTS.length;

/** What few findings have. */
type Rest = Omit<Occurrence, 'location' | 'untrusted'>;

const restJson = ({ discriminator, compliance, report_state }: Occurrence): string =>
  discriminator === undefined && compliance === undefined && report_state === undefined
    ? ''
    : JSON.stringify({ discriminator, compliance, report_state });

/** @param give Gets each batch when it is full; called within `add` and `flush`. */
export function createPacker(give: (batch: FindingBatch) => void): Packer {
  let engine = '';
  let rules: string[] = [];
  let ruleChars = 0;
  let narrow = '';
  let wide = '';
  let count = 0;
  let numbers = new Uint32Array(MOST_FINDINGS * WIDTH);

  const flush = (): void => {
    if (count === 0 && rules.length === 0) return;
    const batch = { engine, rules, narrow, wide, numbers: numbers.subarray(0, count * WIDTH) };
    numbers = new Uint32Array(MOST_FINDINGS * WIDTH);
    rules = [];
    narrow = wide = '';
    ruleChars = count = 0;
    give(batch);
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
      let text = ruleId + location + rest;
      let at = count * WIDTH;
      numbers[at] = id;
      numbers[at + 2] = ruleId.length;
      numbers[at + 3] = location.length;
      numbers[at + 4] = rest.length;
      at += 5;
      for (const name of TEXTS) {
        const part = occurrence.untrusted[name];
        numbers[at] = part === undefined ? 0 : part.length + 1;
        at += 1;
        if (part !== undefined) text += part;
      }
      const isWide = BEYOND_LATIN_1.test(text);
      numbers[count * WIDTH + 1] = isWide ? 1 : 0;
      if (isWide) wide += text;
      else narrow += text;
      count += 1;
      if (count === MOST_FINDINGS || narrow.length + wide.length + ruleChars >= MOST_CHARS) flush();
    },
    flush,
  };
}

/** The findings of a batch, in their order. */
export function unpack({ narrow, wide, numbers }: FindingBatch, take: (finding: UnpackedFinding) => void): void {
  const at = [0, 0];
  for (let from = 0; from < numbers.length; from += WIDTH) {
    const isWide = numbers[from + 1] ?? 0;
    const text = isWide === 1 ? wide : narrow;
    let position = at[isWide] ?? 0;
    const next = (length: number): string => {
      position += length;
      return text.slice(position - length, position);
    };
    const ruleId = next(numbers[from + 2] ?? 0);
    const locationJson = next(numbers[from + 3] ?? 0);
    const rest = next(numbers[from + 4] ?? 0);
    const untrusted: Untrusted = {};
    for (let index = 0; index < TEXTS.length; index += 1) {
      const length = numbers[from + 5 + index] ?? 0;
      const name = TEXTS[index];
      if (length > 0 && name) untrusted[name] = next(length - 1);
    }
    at[isWide] = position;
    take({ rule: numbers[from] ?? 0, ruleId, locationJson, occurrence: occurrenceOf(locationJson, rest, untrusted) });
  }
}

/** No schema: both were made above, of what came out of it. */
function occurrenceOf(locationJson: string, restOfIt: string, untrusted: Untrusted): Occurrence {
  const location: Location = JSON.parse(locationJson);
  if (restOfIt === '') return { location, untrusted };
  const rest: Rest = JSON.parse(restOfIt);
  return { location, untrusted, ...rest };
}
