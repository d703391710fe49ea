import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newApiKey, apiKeyHash, KEY_PREFIX, prefixOfKey } from '../../src/model/api-key.ts';
import { createApiKeys } from '../../src/queue/sqlite/api-keys.ts';
import { createQuotas } from '../../src/queue/sqlite/quotas.ts';
import { createQueueOn } from '../../src/queue/sqlite/queue.ts';
import { openStore, type Store } from '../../src/queue/sqlite/store.ts';
import { describeApiKeysContract, type ApiKeysHarness } from '../contracts/api-keys-contract.ts';
import { describeQuotasContract, type QuotasHarness } from '../contracts/quotas-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

function stores() {
  const folder = newFolder();
  const clock = fakeClock();
  const open: Store[] = [];
  const restart = async (): Promise<void> => {
    for (const store of open.splice(0)) store.close();
  };
  return {
    async open() {
      const store = await openStore({ folder, clock, settings: SETTINGS, isAlive: () => true });
      open.push(store);
      return store;
    },
    now: () => clock.now(),
    advance: (ms: number) => clock.advance(ms),
    restart,
    async close() {
      await restart();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeApiKeysContract('SQLite', async (): Promise<ApiKeysHarness> => {
  const shared = stores();
  return { ...shared, open: async () => createApiKeys(await shared.open()) };
});

describeQuotasContract('SQLite', async (): Promise<QuotasHarness> => {
  const shared = stores();
  return {
    ...shared,
    async open() {
      const store = await shared.open();
      return { quotas: createQuotas(store), queue: createQueueOn(store) };
    },
  };
});

it('opens nothing for a scope that only a newer version knows', async () => {
  const shared = stores();
  const store = await shared.open();
  const keys = createApiKeys(store);
  const { text, prefix } = newApiKey();
  const sha256 = apiKeyHash(text);
  await keys.add({ prefix, sha256, tenant: 'a', name: 'n', scopes: ['scan:read'], createdAt: 1 });
  store.db.exec(`UPDATE api_keys SET scopes = '["scan:everything","scan:run"]'`);
  expect(await keys.find(sha256)).toMatchObject({ scopes: ['scan:run'] });
  await shared.close();
});

it('makes keys that are told from every text that is nearly one', () => {
  const { text, prefix } = newApiKey();
  expect(prefix).toMatch(KEY_PREFIX);
  expect(prefixOfKey(text)).toBe(prefix);
  expect(text).not.toBe(newApiKey().text);
  // Each character counts, the checksum's own included.
  for (let index = 0; index < text.length; index += 1) {
    const other = text[index] === '7' ? '8' : '7';
    expect(prefixOfKey(text.slice(0, index) + other + text.slice(index + 1))).toBeUndefined();
  }
  for (const wrong of ['', prefix, `${text} `, `${text}\n`, text.toUpperCase(), text.slice(0, -1)])
    expect(prefixOfKey(wrong)).toBeUndefined();
});
