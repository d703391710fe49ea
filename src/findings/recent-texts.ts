/** Remembers values that were asked for lately, in bounded memory; forgetting only costs time or space. */
export interface Recent<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

export type RecentTexts<V> = Recent<string, V>;

/** Counted for each entry besides its characters. */
const ENTRY_COST = 64;

/** @param maxCost Of all entries of one generation; two generations are kept. */
export function createRecent<K, V>(maxCost: number, costOf: (key: K, value: V) => number): Recent<K, V> {
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  let cost = 0;
  const set = (key: K, value: V): void => {
    cost += costOf(key, value);
    if (cost > maxCost) {
      old = young;
      young = new Map();
      cost = costOf(key, value);
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
  };
}

/** @param maxChars Of all texts of one generation, in UTF-16 units. */
export const createRecentTexts = <V>(maxChars: number): RecentTexts<V> =>
  createRecent(maxChars, (text) => text.length + ENTRY_COST);
