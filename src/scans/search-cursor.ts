import { createHash } from 'node:crypto';
import { wordsClaimed } from './asked-place.ts';
import { packed } from './pack-places.ts';
import type { Asked } from './search-hits.ts';

/** What a cursor belongs to: the scans that are searched, in their order, and the question. A scan that ends changes it. */
export async function cursorHash({ input, searched, suppressions }: Asked): Promise<string> {
  const { cursor: _cursor, max_tokens: _budget, ...asked } = input;
  const sorted = Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(['search', sorted, suppressions.version]));
  for (const { scanId, places } of searched.scans) {
    hash.update(JSON.stringify([scanId, places.length]));
    for (const text of await packed(places, wordsClaimed)) hash.update(JSON.stringify(text));
  }
  return hash.digest('hex');
}
