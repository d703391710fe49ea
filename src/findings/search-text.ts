import type { Occurrence } from '../model/finding.ts';
import { refang } from '../model/untrusted.ts';

/**
 * What `text` looks in for one occurrence: what the scanned system wrote, and the package, file, URL and image it is in.
 * Lines with a link follow once more as they were before the link was defanged, so that any part of it is found in both
 * spellings.
 */
export function searchText({ untrusted, location }: Occurrence): string {
  const { package: pkg, file, url, image } = location;
  const seen = Object.values(untrusted).join('\n');
  const words = [seen, pkg, file, url, image].filter((word) => word !== undefined && word !== '').join('\n');
  const asWritten = refang(seen);
  if (asWritten === seen) return words;
  const shown = seen.split('\n');
  const changed = asWritten.split('\n').filter((line, index) => line !== shown[index]);
  return [words, ...changed].join('\n');
}
