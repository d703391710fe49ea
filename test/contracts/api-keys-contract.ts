import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiKeyHash, newApiKey } from '../../src/model/api-key.ts';
import type { ApiKey, ApiKeys } from '../../src/queue/api-keys.ts';

/** What an adapter gives the contract: one store, any number of handles on it as other processes would have. */
export interface ApiKeysHarness {
  open(): Promise<ApiKeys>;
  /** Epoch milliseconds of every handle's clock. */
  now(): number;
  advance(ms: number): void;
  /** Closes every handle; what was kept stays. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The promises of every keeper of API keys. Call it once per adapter. */
export function describeApiKeysContract(name: string, createHarness: () => Promise<ApiKeysHarness>): void {
  describe(`${name} keeps the contract of API keys`, () => {
    let harness: ApiKeysHarness;
    let keys: ApiKeys;
    beforeEach(async () => {
      harness = await createHarness();
      keys = await harness.open();
    });
    afterEach(async () => await harness.close());

    const made = (over: Partial<ApiKey> = {}): ApiKey => {
      const { text, prefix } = newApiKey();
      const facts = { tenant: 'acme', name: 'ci', scopes: ['scan:read'] as const, createdAt: harness.now() };
      return { prefix, sha256: apiKeyHash(text), ...facts, ...over };
    };

    it('finds a key by its hash, with every field, in every process and after a restart', async () => {
      const key = made({ scopes: ['scan:read', 'admin'], expiresAt: harness.now() + 5 });
      await keys.add(key);
      expect(await keys.find(key.sha256)).toEqual(key);
      expect(await (await harness.open()).find(key.sha256)).toEqual(key);
      await harness.restart();
      expect(await (await harness.open()).find(key.sha256)).toEqual(key);
    });

    it('knows no other hash', async () => {
      const key = made();
      await keys.add(key);
      for (const wrong of ['', key.prefix, key.sha256.toUpperCase(), `${key.sha256} `, '%', apiKeyHash('x')])
        expect(await keys.find(wrong)).toBeUndefined();
    });

    it('finds an expired key too: who asks judges that', async () => {
      const key = made({ expiresAt: harness.now() + 1 });
      await keys.add(key);
      harness.advance(10);
      expect(await keys.find(key.sha256)).toEqual(key);
    });

    it('lists the newest first', async () => {
      const [first, second] = [made({ name: 'a' }), made({ name: 'b', createdAt: harness.now() + 1 })];
      await keys.add(first);
      await keys.add(second);
      expect(await keys.list()).toEqual([second, first]);
    });

    it('revokes once, for every process at once, and keeps the key with its time', async () => {
      const [key, other] = [made(), made()];
      await keys.add(key);
      await keys.add(other);
      const elsewhere = await harness.open();
      expect(await elsewhere.find(key.sha256)).toEqual(key);
      harness.advance(3);
      expect(await keys.revoke(key.prefix)).toBe(true);
      expect(await elsewhere.find(key.sha256)).toEqual({ ...key, revokedAt: harness.now() });
      harness.advance(3);
      expect(await elsewhere.revoke(key.prefix)).toBe(false);
      expect(await keys.find(key.sha256)).toMatchObject({ revokedAt: harness.now() - 3 });
      expect(await keys.find(other.sha256)).toEqual(other);
      expect(await keys.revoke('smx_nobody00')).toBe(false);
    });

    it('refuses a second key of one prefix or one hash, and keeps the first', async () => {
      const key = made();
      await keys.add(key);
      for (const twin of [made({ prefix: key.prefix }), made({ sha256: key.sha256 })])
        await expect(keys.add(twin)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(await keys.list()).toEqual([key]);
    });

    it('takes one of two keys of one prefix that come at once', async () => {
      const key = made();
      const other = await harness.open();
      const settled = await Promise.allSettled([keys.add(key), other.add(made({ prefix: key.prefix }))]);
      expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await keys.list()).toHaveLength(1);
    });
  });
}
