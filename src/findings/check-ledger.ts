import { lineText } from '../model/untrusted.ts';

/** More different words about checks than any engine has; a hostile report must not fill memory or answers. */
const MAX_KEPT = 1_000;
const MAX_SHOWN = 100;
const Check = lineText(300);

/** A set of cleaned words about kinds of check, without repeats and with a cap that says that it was reached. */
export interface CheckLedger {
  add(texts: readonly string[]): void;
  /** Sorted, so that the order of a report changes nothing. */
  shown(): string[];
}

export function createCheckLedger(): CheckLedger {
  const kept = new Set<string>();
  return {
    add(texts) {
      for (const text of texts) {
        if (kept.size >= MAX_KEPT) return;
        kept.add(Check.parse(text));
      }
    },
    shown() {
      const sorted = [...kept].filter((text) => text !== '').toSorted();
      if (sorted.length <= MAX_SHOWN) return sorted;
      return [...sorted.slice(0, MAX_SHOWN), `and ${sorted.length - MAX_SHOWN} more`];
    },
  };
}
