/** Remembers values of texts that were asked for lately, in bounded memory; forgetting only costs time or space. */
export interface RecentTexts<V> {
  get(text: string): V | undefined;
  set(text: string, value: V): void;
}

/** Counted for each entry besides its characters. */
const ENTRY_COST = 64;

/** @param maxChars Of all texts of one generation, in UTF-16 units; two generations are kept. */
export function createRecentTexts<V>(maxChars: number): RecentTexts<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  let cost = 0;
  const set = (text: string, value: V): void => {
    cost += text.length + ENTRY_COST;
    if (cost > maxChars) {
      old = young;
      young = new Map();
      cost = text.length + ENTRY_COST;
    }
    young.set(text, value);
  };
  return {
    get(text) {
      const value = young.get(text);
      if (value !== undefined) return value;
      const older = old.get(text);
      if (older !== undefined) set(text, older);
      return older;
    },
    set,
  };
}
