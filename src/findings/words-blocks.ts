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
/** Room for the last text of a block. The few that are longer get a buffer of their own size. */
const ROOMY_TEXT_BYTES = 192 << 10;
/** UTF-8 has no more for a UTF-16 unit. */
const MOST_UNIT_BYTES = 3;

export function createWordsBlocks(take: TakeBlock): WordsBlocks {
  let text = Buffer.alloc(BLOCK_BYTES + ROOMY_TEXT_BYTES);
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
      const lower = words.toLowerCase();
      const most = lower.length * MOST_UNIT_BYTES;
      if (used + most > text.length) flush();
      if (most > text.length) text = Buffer.alloc(most);
      offsets.push(used);
      used += text.write(lower, used);
      if (used >= BLOCK_BYTES) flush();
    },
    flush,
  };
}
