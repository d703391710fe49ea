import { describe, expect, it } from 'vitest';
import { describeImportsContract, newImport } from '../contracts/imports-contract.ts';
import { sqliteHarness } from './sqlite-harness.ts';

describe.each([{ name: 'SQLite', create: () => sqliteHarness() }])('$name', ({ name, create }) => {
  describeImportsContract(name, create);
});

it('refuses an import when less than the reserve is free, and records nothing', async () => {
  const harness = await sqliteHarness({ freeBytes: () => -1 });
  const queue = await harness.open();
  const given = newImport();
  await expect(queue.recordImport(given)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await queue.get(given.tenant, given.scanId)).toBeUndefined();
  await harness.close();
});
