import { secretForms } from '../model/secret-forms.ts';

/** Takes secrets out of bytes as they stream by. What comes out does not depend on how the bytes were cut. */
export interface SecretMask {
  /** What can be passed on now. The pieces may share memory with `chunk`. */
  push(chunk: Uint8Array): Uint8Array[];
  /** The rest; the mask is then as new. */
  end(): Uint8Array[];
}

/** Bytes that identify a form; no form is shorter. */
const KEY_BYTES = 4;
const SLOTS_BITS = 16;
/** A secret that the end of a report or message cuts off is masked from this length on; less says little, and may be chance. */
const MIN_CUT_BYTES = 8;

/** Safe in XML, JSON, CSV and URLs. One that no secret holds is taken, so that no mask can become part of a secret. */
const MASK_CHARS = ['*', '#', '~', '^', '!', '|', '@', '.', '•'];

/** Forms by their first four bytes, and a table that answers "none" at once for nearly every place of a report. */
interface Forms {
  readonly byKey: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly slots: Uint8Array;
  readonly mask: Uint8Array;
}

const slotOf = (key: number): number => Math.imul(key, 0x9e37_79b1) >>> (32 - SLOTS_BITS);

const keyAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);

function formsOf(secrets: readonly string[]): Forms | undefined {
  const forms = secretForms(secrets);
  if (forms.length === 0) return undefined;
  const byKey = new Map<number, Uint8Array[]>();
  const slots = new Uint8Array(2 ** SLOTS_BITS);
  for (const form of forms) {
    const key = keyAt(form, 0);
    const alike = byKey.get(key);
    if (alike) alike.push(form);
    else byKey.set(key, [form]);
    slots[slotOf(key)] = 1;
  }
  for (const alike of byKey.values()) alike.sort((a, b) => Buffer.compare(a, b));
  const used = new Set(forms.flatMap((form) => [...new Set(form)]));
  const char = MASK_CHARS.find((one) => Buffer.from(one).every((byte) => !used.has(byte))) ?? '*';
  return { byKey, slots, mask: Buffer.from(char.repeat(3)) };
}

/**
 * A mask for these secrets in all their spellings (`secretForms`); undefined when there is nothing to mask. No byte of any
 * occurrence passes, also where several overlap. One look at each byte; what is held back is shorter than the longest
 * spelling, and mostly three bytes.
 */
export function createSecretMask(secrets: readonly string[]): SecretMask | undefined {
  const forms = formsOf(secrets);
  if (!forms) return undefined;
  let held: Uint8Array = new Uint8Array(0);
  /** End of the newest masked part, counted from the start of `held`; -1: before it. */
  let maskedTo = -1;

  const scan = (bytes: Uint8Array, isLast: boolean): Uint8Array[] => {
    const out: Uint8Array[] = [];
    let passedTo = Math.max(maskedTo, 0);
    const last = bytes.length - KEY_BYTES;
    let holdFrom = isLast ? bytes.length : Math.max(last + 1, 0);
    let key = keyAt(bytes, -1);
    for (let at = 0; at <= last; at += 1) {
      key = (key << 8) | (bytes[at + KEY_BYTES - 1] ?? 0);
      if (forms.slots[slotOf(key)] === 0) continue;
      const found = occurrenceAt(bytes, at, forms.byKey.get(key) ?? [], isLast);
      if (found === 'unfinished') {
        holdFrom = at;
        break;
      }
      if (found === at || found <= maskedTo) continue;
      if (at > maskedTo) out.push(bytes.subarray(passedTo, at), forms.mask);
      maskedTo = found;
      passedTo = found;
    }
    if (passedTo < holdFrom) out.push(bytes.subarray(passedTo, holdFrom));
    // A copy: whoever gave the chunk may fill it again.
    held = new Uint8Array(bytes.subarray(holdFrom));
    maskedTo = maskedTo < holdFrom ? -1 : maskedTo - holdFrom;
    return out.filter(({ length }) => length > 0);
  };

  return {
    push: (chunk) => scan(held.length === 0 ? chunk : Buffer.concat([held, chunk]), false),
    end() {
      const out = scan(held, true);
      held = new Uint8Array(0);
      maskedTo = -1;
      return out;
    },
  };
}

/**
 * Where the longest form that starts here ends; `at` when there is none.
 * @param candidates Sorted, and alike in their first `KEY_BYTES`: what begins like the report is a range that shrinks with
 *   each byte, so a thousand spellings of `&...` do not make every `&amp;` of a report dear.
 * @returns `unfinished` when one could go on beyond the bytes there are
 */
function occurrenceAt(
  bytes: Uint8Array,
  at: number,
  candidates: readonly Uint8Array[],
  isLast: boolean,
): number | 'unfinished' {
  let end = at;
  let from = 0;
  let to = candidates.length;
  for (let length = KEY_BYTES; from < to; length += 1) {
    if (candidates[from]?.length === length) {
      end = at + length;
      from += 1;
      if (from === to) return end;
    }
    const byte = bytes[at + length];
    if (byte === undefined) {
      if (!isLast) return 'unfinished';
      return length < MIN_CUT_BYTES ? end : at + length;
    }
    from = firstFrom(candidates, { from, to }, length, byte);
    to = firstFrom(candidates, { from, to }, length, byte + 1);
  }
  return end;
}

/** The first candidate of a sorted range whose byte at `index` is no less than `byte`. */
function firstFrom(
  candidates: readonly Uint8Array[],
  { from, to }: { readonly from: number; readonly to: number },
  index: number,
  byte: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candidates[middle]?.[index] ?? 0) < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same for whole texts: messages, titles, log lines. */
export function createTextMask(secrets: readonly string[]): ((text: string) => string) | undefined {
  const mask = createSecretMask(secrets);
  if (!mask) return undefined;
  return (text) => {
    if (text.length < KEY_BYTES) return text;
    const bytes = Buffer.from(text, 'utf8');
    const masked = Buffer.concat([...mask.push(bytes), ...mask.end()]);
    return masked.equals(bytes) ? text : masked.toString('utf8');
  };
}
