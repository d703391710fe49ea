import { hash } from 'node:crypto';

/** Gives every different text one dense id, from 0. */
export interface TextIds {
  idOf(text: string): number;
}

const FIRST_SLOTS = 1 << 12;
/** Of a SHA-256: two texts with equal ones are taken for the same text. */
const DIGEST_BYTES = 16;

/**
 * Exact whatever the report holds, in about 40 bytes per text: what is kept are digests, in an open-addressed table. The
 * texts themselves are given to `keep` and forgotten.
 */
export function createTextIds(keep: (id: number, text: string) => void): TextIds {
  let digests = Buffer.alloc((FIRST_SLOTS / 2) * DIGEST_BYTES);
  /** id + 1; 0 is free. */
  let slots = new Uint32Array(FIRST_SLOTS);
  let count = 0;

  /** Where the text stands whose digest is at `at` of `digests`, or the free slot where it would. */
  const slotOf = (at: number): number => {
    const mask = slots.length - 1;
    const head = digests.readUInt32LE(at);
    for (let slot = head & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] ?? 0;
      if (held === 0) return slot;
      const from = (held - 1) * DIGEST_BYTES;
      if (digests.readUInt32LE(from) !== head) continue;
      if (digests.compare(digests, from, from + DIGEST_BYTES, at, at + DIGEST_BYTES) === 0) return slot;
    }
  };

  const grow = (): void => {
    const larger = Buffer.alloc(digests.length * 2);
    digests.copy(larger);
    digests = larger;
    slots = new Uint32Array(slots.length * 2);
    for (let id = 0; id < count; id += 1) slots[slotOf(id * DIGEST_BYTES)] = id + 1;
  };

  return {
    idOf(text) {
      const at = count * DIGEST_BYTES;
      if (at === digests.length) grow();
      // Behind the last one, which makes it the next if it is new. A buffer for each digest takes twice the time.
      digests.write(hash('sha256', text, 'hex'), at, DIGEST_BYTES, 'hex');
      const slot = slotOf(at);
      const held = slots[slot] ?? 0;
      if (held > 0) return held - 1;
      const id = count;
      count += 1;
      slots[slot] = id + 1;
      keep(id, text);
      return id;
    },
  };
}
