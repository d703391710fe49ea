import type { Detected } from './detection.ts';
import { readable } from './readable.ts';
import type { Asked, HitDeps } from './search-hits.ts';

/** Rule ids in one answer, and files opened for them. */
const MOST_RULES = 5;
const MOST_FILES = 50;

/** Rule ids that the one that was asked for may have meant, when no engine is known to have that one. */
export async function similarRules(
  { findings, log }: HitDeps,
  { input, searched }: Asked,
  { isKnown }: Detected,
): Promise<readonly string[]> {
  const { rule_id: rule } = input;
  if (rule === undefined || isKnown !== false || input.cursor !== undefined) return [];
  const similar = new Set<string>();
  for (const { scanId, file } of searched.scans.slice(0, MOST_FILES)) {
    const found = await readable(log, scanId, () => findings.similar({ file, rule, limit: MOST_RULES }));
    for (const text of found ?? []) similar.add(text);
    if (similar.size >= MOST_RULES) break;
  }
  return [...similar].slice(0, MOST_RULES);
}
