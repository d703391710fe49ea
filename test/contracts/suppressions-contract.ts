import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewSuppression, SuppressionList } from '../../src/queue/suppressions.ts';

/** What an adapter gives the contract: one store, any number of handles on it as other processes would have. */
export interface SuppressionsHarness {
  open(): Promise<SuppressionList>;
  /** Epoch milliseconds of every handle's clock. */
  now(): number;
  advance(ms: number): void;
  /** Closes every handle; what was kept stays. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const T = 'local';
const DAY = 86_400_000;
const PRINT = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);

/** The promises of every list of suppressions. Call it once per adapter. */
export function describeSuppressionsContract(name: string, createHarness: () => Promise<SuppressionsHarness>): void {
  describe(`${name} keeps the suppressions contract`, () => {
    let harness: SuppressionsHarness;
    let list: SuppressionList;
    beforeEach(async () => {
      harness = await createHarness();
      list = await harness.open();
    });
    afterEach(async () => await harness.close());

    const judged = (over: Partial<Omit<NewSuppression, 'fingerprint' | 'engine' | 'rule_id'>> = {}) => ({
      status: 'false_positive' as const,
      reason: 'the banner lies',
      who: 'cli',
      expiresAt: harness.now() + 90 * DAY,
      ...over,
    });
    const finding = (over?: Parameters<typeof judged>[0], print = PRINT): NewSuppression => ({
      fingerprint: print,
      ...judged(over),
    });
    const rule = (over?: Parameters<typeof judged>[0]): NewSuppression => ({
      engine: 'nmap',
      rule_id: 'nse:x',
      ...judged(over),
    });

    it('holds nothing at first, and says so with the version of nothing', async () => {
      expect(await list.inForce(T)).toEqual({ version: '', entries: [] });
      expect(await list.list(T)).toEqual([]);
    });

    it('keeps a judgement for every process and over a restart, with who and when', async () => {
      const made = await list.put(T, finding());
      expect(made).toEqual({ ...finding(), createdAt: harness.now() });
      expect((await (await harness.open()).inForce(T)).entries).toEqual([made]);
      await harness.restart();
      const again = await harness.open();
      expect((await again.inForce(T)).entries).toEqual([made]);
      expect(await again.list(T)).toEqual([made]);
    });

    it('is of one tenant alone', async () => {
      await list.put(T, finding());
      expect((await list.inForce('other')).entries).toEqual([]);
      expect(await list.remove('other', { fingerprint: PRINT })).toBeUndefined();
      expect((await list.inForce(T)).entries).toHaveLength(1);
    });

    it('has one judgement for a finding and one for a rule: a second takes the place of the first', async () => {
      await list.put(T, finding());
      await list.put(T, finding({ status: 'accepted_risk', reason: 'known' }));
      await list.put(T, rule());
      await list.put(T, rule({ status: 'mitigated' }));
      const { entries } = await list.inForce(T);
      expect(entries.map(({ status }) => status).toSorted()).toEqual(['accepted_risk', 'mitigated']);
      expect(entries.find(({ fingerprint }) => fingerprint === undefined)).toMatchObject({
        engine: 'nmap',
        rule_id: 'nse:x',
      });
    });

    it('takes one back, by its own subject only', async () => {
      const made = await list.put(T, finding());
      await list.put(T, rule());
      expect(await list.remove(T, { fingerprint: OTHER })).toBeUndefined();
      expect(await list.remove(T, { engine: 'nmap', rule_id: 'nse:y' })).toBeUndefined();
      expect(await list.remove(T, { fingerprint: PRINT })).toEqual(made);
      expect((await list.inForce(T)).entries).toMatchObject([{ rule_id: 'nse:x' }]);
      expect(await list.remove(T, { fingerprint: PRINT })).toBeUndefined();
    });

    it('lets one expire by itself, at its moment, and still lists it', async () => {
      await list.put(T, finding({ expiresAt: harness.now() + 1_000 }));
      await list.put(T, finding({ expiresAt: harness.now() + 5_000 }, OTHER));
      harness.advance(999);
      expect((await list.inForce(T)).entries).toHaveLength(2);
      harness.advance(1);
      expect((await list.inForce(T)).entries.map(({ fingerprint }) => fingerprint)).toEqual([OTHER]);
      expect(await list.list(T)).toHaveLength(2);
      expect(await list.remove(T, { fingerprint: PRINT })).toBeUndefined();
      harness.advance(4_000);
      expect(await list.inForce(T)).toEqual({ version: '', entries: [] });
    });

    it('changes its version with every change and every expiry, in every process, and with nothing else', async () => {
      const other = await harness.open();
      const seen: string[] = [];
      const look = async (): Promise<void> => {
        const [mine, theirs] = [(await list.inForce(T)).version, (await other.inForce(T)).version];
        expect(theirs).toBe(mine);
        seen.push(mine);
      };
      await list.put(T, finding({ expiresAt: harness.now() + 1_000 }));
      await look();
      await other.put(T, finding({}, OTHER));
      await look();
      harness.advance(1_000);
      await look();
      await list.put(T, finding({ reason: 'another reason' }, OTHER));
      await look();
      await other.remove(T, { fingerprint: OTHER });
      await look();
      expect(new Set(seen).size).toBe(seen.length);
      const before = (await list.inForce(T)).version;
      await list.put('other', finding());
      harness.advance(1_000);
      expect((await list.inForce(T)).version).toBe(before);
    });

    it('gives the same object while nothing changes, so that readers can keep what they made of it', async () => {
      await list.put(T, finding());
      const first = await list.inForce(T);
      harness.advance(1_000);
      expect(await list.inForce(T)).toBe(first);
    });

    it('lists the newest first', async () => {
      await list.put(T, finding());
      harness.advance(1);
      await list.put(T, finding({}, OTHER));
      expect((await list.list(T)).map(({ fingerprint }) => fingerprint)).toEqual([OTHER, PRINT]);
    });
  });
}
