/** Texts to search in, gathered into blocks: see the table `words` in layout.ts. */
export interface WordsBlocks {
  /** The text of the next id. */
  add(text: string): void;
  /** Hands over what is left. Call once, at the end. */
  flush(): void;
}

/** One block that is full. The buffers are reused: take what you need at once. */
export type TakeBlock = (first: number, offsets: Uint8Array, text: Uint8Array) => void;

/** A block is handed over once it holds this many bytes: large enough that a search is not the cost of its rows. */
const BLOCK_BYTES = 256 << 10;
/** More than any one text has: the longest finding has 56,812 UTF-16 units (search-text.ts), none of more than 3 bytes. */
const LONGEST_TEXT_BYTES = 192 << 10;

export function createWordsBlocks(take: TakeBlock): WordsBlocks {
  const text = Buffer.alloc(BLOCK_BYTES + LONGEST_TEXT_BYTES);
  let offsets: number[] = [];
  let first = 0;
  let used = 0;
  const flush = (): void => {
    if (offsets.length === 0) return;
    take(first, new Uint8Array(Uint32Array.from(offsets).buffer), text.subarray(0, used));
    first += offsets.length;
    offsets = [];
    used = 0;
  };
  return {
    add(words) {
      offsets.push(used);
      used += text.write(words.toLowerCase(), used);
      if (used >= BLOCK_BYTES) flush();
    },
    flush,
  };
}
