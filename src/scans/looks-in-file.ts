import type { LooksOutput } from '../findings/searching.ts';
import type { ScanDeps } from './deps.ts';

const PART = 2_000;

/** All places of a findings file in parts; at least one part. @throws AppError storage_unusable, data_too_new */
export async function* looksInFile(findings: ScanDeps['findings'], file: string): AsyncGenerator<LooksOutput> {
  let after = '';
  for (;;) {
    const part = await findings.looks({ file, after, limit: PART });
    yield part;
    const end = part.looks.at(-1);
    if (part.isLast || end === undefined) return;
    after = end.place;
  }
}
