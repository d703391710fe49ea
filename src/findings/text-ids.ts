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

  const slotOf = (digest: Buffer, at: number): number => {
    const mask = slots.length - 1;
    for (let slot = digest.readUInt32LE(at) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] ?? 0;
      if (held === 0) return slot;
      const from = (held - 1) * DIGEST_BYTES;
      if (digest.compare(digests, from, from + DIGEST_BYTES, at, at + DIGEST_BYTES) === 0) return slot;
    }
  };

  const grow = (): void => {
    const larger = Buffer.alloc(digests.length * 2);
    digests.copy(larger);
    digests = larger;
    slots = new Uint32Array(slots.length * 2);
    for (let id = 0; id < count; id += 1) slots[slotOf(digests, id * DIGEST_BYTES)] = id + 1;
  };

  return {
    idOf(text) {
      const digest = hash('sha256', text, 'buffer');
      const held = slots[slotOf(digest, 0)] ?? 0;
      if (held > 0) return held - 1;
      const id = count;
      if (count * DIGEST_BYTES === digests.length) grow();
      digest.copy(digests, id * DIGEST_BYTES, 0, DIGEST_BYTES);
      count += 1;
      slots[slotOf(digest, 0)] = id + 1;
      keep(id, text);
      return id;
    },
  };
}
