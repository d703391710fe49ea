import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openStore, type Store } from '../../src/queue/sqlite/store.ts';
import { createSuppressionList } from '../../src/queue/sqlite/suppressions.ts';
import { describeSuppressionsContract, type SuppressionsHarness } from '../contracts/suppressions-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

async function harness(): Promise<SuppressionsHarness & { readonly stores: Store[]; setBack(ms: number): void }> {
  const folder = newFolder();
  const clock = fakeClock();
  const stores: Store[] = [];
  const restart = async (): Promise<void> => {
    for (const store of stores.splice(0)) store.close();
  };
  return {
    stores,
    async open() {
      const store = await openStore({ folder, clock, settings: SETTINGS, isAlive: () => true });
      stores.push(store);
      return createSuppressionList(store);
    },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    setBack: (ms) => clock.setBack(ms),
    restart,
    async close() {
      await restart();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeSuppressionsContract('SQLite', harness);

const entry = { status: 'mitigated', reason: 'r', who: 'cli' } as const;

it('holds again what had expired when the clock is set back', async () => {
  const own = await harness();
  const list = await own.open();
  await list.put('t', { fingerprint: 'f', ...entry, expiresAt: own.now() + 10 });
  const before = await list.inForce('t');
  own.advance(10);
  expect((await list.inForce('t')).entries).toEqual([]);
  own.setBack(10);
  expect(await list.inForce('t')).toEqual(before);
  await own.close();
});

it('refuses more than a tenant can have, by a coded error, and forgets what expired long ago', async () => {
  const own = await harness();
  const list = await own.open();
  await list.put('t', { fingerprint: 'old', ...entry, expiresAt: own.now() + 10 });
  own.stores[0]?.db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
    INSERT INTO suppressions (tenant, fingerprint, engine, rule_id, status, reason, who, created_at, expires_at) SELECT 't', 'f' || i, '', '', 'mitigated', 'r', 'cli', 0, ${own.now() + 9e11} FROM n`);
  await expect(list.put('t', { fingerprint: 'one more', ...entry, expiresAt: own.now() + 10 })).rejects.toMatchObject({
    code: 'quota_exceeded',
  });
  own.advance(366 * 86_400_000);
  await list.put('t', { fingerprint: 'one more', ...entry, expiresAt: own.now() + 10 });
  expect((await list.list('t')).some(({ fingerprint }) => fingerprint === 'old')).toBe(false);
  await own.close();
});
