import type { LooksOutput } from '../findings/searching.ts';
import type { ScanDeps } from './deps.ts';

const PART = 2_000;

/**
 * Places of a findings file in parts, at least one part; where words are given, those that one of them may mean.
 * @throws AppError storage_unusable, data_too_new
 */
export async function* looksInFile(
  findings: ScanDeps['findings'],
  file: string,
  words?: readonly string[],
): AsyncGenerator<LooksOutput> {
  let after = '';
  for (;;) {
    const part = await findings.looks({ file, after, limit: PART, ...(words === undefined ? {} : { words }) });
    yield part;
    const end = part.looks.at(-1);
    if (part.isLast || end === undefined) return;
    after = end.place;
  }
}
