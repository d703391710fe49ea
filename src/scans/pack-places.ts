import { packPlaces, type PlaceList } from '../findings/place-list.ts';
import type { AskedPlace } from './asked-place.ts';
import { inSlices } from './slices.ts';

/** Words of many places as a reader thread takes them. */
export async function packed(
  places: readonly AskedPlace[],
  wordsOf: (place: AskedPlace) => readonly string[],
): Promise<PlaceList> {
  const list: string[] = [];
  for await (const slice of inSlices(places)) list.push(...packPlaces(slice.flatMap(wordsOf)));
  return list;
}
