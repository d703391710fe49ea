import { expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { Claim } from '../../src/queue/queue.ts';
import { failureOutcome } from '../../src/worker/outcome.ts';
import { startParts } from './start-worker.ts';

async function outcomeOf(
  code: 'storage_full' | 'storage_unavailable' | 'scanner_unreachable',
): Promise<ReturnType<typeof failureOutcome>> {
  const parts = await startParts(async () => ({ whole: true }));
  await parts.submit();
  const claim: Claim = await parts.claim();
  return failureOutcome(parts.deps, claim, undefined, new AppError(code, 'Not now.'), undefined);
}

it('a full disk here is no reason to scan again there: the next attempt takes over what was started', async () => {
  expect(await outcomeOf('storage_full')).toMatchObject({ kind: 'retry', keepsRun: true });
  expect(await outcomeOf('storage_unavailable')).toMatchObject({ kind: 'retry', keepsRun: true });
  expect(await outcomeOf('scanner_unreachable')).not.toHaveProperty('keepsRun');
});
