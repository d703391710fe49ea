/**
 * Places on their way from one thread to another, many in one text: a list of a million texts would stop both threads
 * while it is copied. Places are lines, so that a line feed parts them.
 */
export type PlaceList = readonly string[];

const IN_ONE_TEXT = 1_000;

/** @param places As many as the caller can go through at once; lists may be put together. */
export function packPlaces(places: readonly string[]): PlaceList {
  const list: string[] = [];
  for (let at = 0; at < places.length; at += IN_ONE_TEXT) list.push(places.slice(at, at + IN_ONE_TEXT).join('\n'));
  return list;
}

export function* unpackPlaces(list: PlaceList): Generator<string> {
  for (const text of list) yield* text.split('\n');
}
