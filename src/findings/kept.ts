import type { OpenFindings } from './open-findings.ts';

/** What is made of a file once and kept as long as the file is open. */
export function madeOnce<T>(make: (file: OpenFindings) => T): (file: OpenFindings) => T {
  const made = new WeakMap<OpenFindings, { readonly value: T }>();
  return (file) => {
    const known = made.get(file) ?? { value: make(file) };
    made.set(file, known);
    return known.value;
  };
}

/** What is made of a file and a key; of each file the `most` that were asked for last are kept. */
export function lastMade<T>(most: number): (file: OpenFindings, key: string, make: () => T) => T {
  const keptOf = madeOnce(() => new Map<string, { readonly value: T }>());
  return (file, key, make) => {
    const kept = keptOf(file);
    const entry = kept.get(key) ?? { value: make() };
    // A map keeps the order of insertion.
    kept.delete(key);
    kept.set(key, entry);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return entry.value;
  };
}
