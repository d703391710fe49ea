import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newScanId } from '../../src/model/ids.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';

describe('a sweep', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scanmux-sweep-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const nothing = () => Promise.resolve(new Map<string, ReadonlySet<number>>());
  const fill = async (scanId: string, epoch = 1): Promise<void> => {
    writeFileSync(join(await createScanFiles(folder).attemptFolder(scanId, epoch), 'x'), 'x');
  };

  it('removes what no record refers to, and only that', async () => {
    const [kept, gone] = [newScanId(), newScanId()];
    await fill(kept, 1);
    await fill(kept, 2);
    await fill(gone);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const files = createScanFiles(folder);
    expect(await files.sweep(() => Promise.resolve(new Map([[kept, new Set([2])]])))).toBe(2);
    expect(readdirSync(folder).toSorted()).toEqual(['notes.txt', kept].toSorted());
    expect(readdirSync(join(folder, kept))).toEqual(['2']);
  });

  it('leaves alone what a living process has claimed, until it lets go', async () => {
    const files = createScanFiles(folder);
    const scanId = newScanId();
    const claim = await files.claim(scanId, 0);
    await fill(scanId);
    expect(await files.sweep(nothing)).toBe(0);
    expect(existsSync(join(folder, scanId, '1', 'x'))).toBe(true);
    await claim.release();
    expect(await files.sweep(nothing)).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks for records only after it has seen who claims what: a record may come in between', async () => {
    const files = createScanFiles(folder);
    const scanId = newScanId();
    const claim = await files.claim(scanId, 0);
    await fill(scanId);
    const recordedMeanwhile = async () => {
      await claim.release();
      return new Map<string, ReadonlySet<number>>();
    };
    expect(await files.sweep(recordedMeanwhile)).toBe(0);
    expect(existsSync(join(folder, scanId, '1', 'x'))).toBe(true);
  });

  it.each([
    ['a dead process', '', `00000000-0000-0000-0000-000000000000|1|1`],
    ['nobody', '', ''],
    ['a process that would have taken more than a day', 'old', undefined],
  ])('removes what %s had claimed, with the claim', async (_, age, owner) => {
    const files = createScanFiles(folder);
    const scanId = newScanId();
    await files.claim(scanId, 0);
    await fill(scanId);
    const path = join(folder, `${scanId}.claim`);
    if (owner !== undefined) writeFileSync(path, owner);
    if (age === 'old') utimesSync(path, new Date(0), new Date(0));
    expect(await files.sweep(nothing)).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('removes the claim of a process that died before it made a folder', async () => {
    const files = createScanFiles(folder);
    await files.claim(newScanId(), 0);
    const [claim = ''] = readdirSync(folder);
    writeFileSync(join(folder, claim), '00000000-0000-0000-0000-000000000000|1|1');
    writeFileSync(join(folder, `${newScanId()}.claim.new`), 'half');
    expect(await files.sweep(nothing)).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('cannot keep anybody from claiming, however often it comes', async () => {
    const files = createScanFiles(folder);
    let isOver = false;
    const sweeping = (async () => {
      while (!isOver) await files.sweep(nothing);
    })();
    const claims = [];
    for (let n = 0; n < 50; n += 1) claims.push(await files.claim(newScanId(), 0));
    isOver = true;
    await sweeping;
    expect(readdirSync(folder)).toHaveLength(50);
    for (const claim of claims) await claim.release();
  });

  it('finds nothing left of a claim that was discarded', async () => {
    const files = createScanFiles(folder);
    const scanId = newScanId();
    const claim = await files.claim(scanId, 0);
    await fill(scanId);
    await claim.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not needed where there is no room: the claim is refused and nothing is made', async () => {
    const files = createScanFiles(folder, { reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(files.claim(newScanId(), 1)).rejects.toMatchObject({ code: 'storage_full' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of what was abandoned leaves everything else alone, also what nothing refers to', async () => {
    const files = createScanFiles(folder);
    const [dead, recorded, living, other] = [newScanId(), newScanId(), newScanId(), newScanId()];
    for (const scanId of [dead, recorded, living]) await files.claim(scanId, 0);
    for (const scanId of [dead, recorded, living, other]) await fill(scanId);
    for (const scanId of [dead, recorded])
      writeFileSync(join(folder, `${scanId}.claim`), '00000000-0000-0000-0000-000000000000|1|1');
    const asked: string[] = [];
    const removed = await files.sweepAbandoned((scanIds) => {
      asked.push(...scanIds);
      return Promise.resolve(new Map([[recorded, new Set([1])]]));
    });
    expect(removed).toBe(1);
    expect(asked.toSorted()).toEqual([dead, recorded].toSorted());
    expect(readdirSync(folder).toSorted()).toEqual([recorded, living, `${living}.claim`, other].toSorted());
  });

  it('keeps a claim as long as the folder is there: one that is interrupted is done by the next', async () => {
    const files = createScanFiles(folder);
    const scanId = newScanId();
    await files.claim(scanId, 0);
    await fill(scanId);
    writeFileSync(join(folder, `${scanId}.claim`), '');
    const fails = () => Promise.reject(new Error('no queue'));
    await expect(files.sweepAbandoned(fails)).rejects.toThrow('no queue');
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await files.sweepAbandoned(nothing)).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('may run several times at once', async () => {
    const files = createScanFiles(folder);
    for (let n = 0; n < 30; n += 1) {
      const scanId = newScanId();
      await files.claim(scanId, 0);
      await fill(scanId);
      writeFileSync(join(folder, `${scanId}.claim`), '');
    }
    const all = [
      files.sweep(nothing),
      files.sweepAbandoned(nothing),
      files.sweep(nothing),
      files.sweepAbandoned(nothing),
    ];
    const removed = await Promise.all(all);
    expect(Math.max(...removed)).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('has nothing to do before the first scan', async () => {
    const files = createScanFiles(join(folder, 'none'));
    expect(await files.sweepAbandoned(nothing)).toBe(0);
    expect(await files.sweep(nothing)).toBe(0);
  });
});

describe('a sweep of a folder that machines share', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scanmux-sweep-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const nothing = () => Promise.resolve(new Map<string, ReadonlySet<number>>());
  const ELSEWHERE = '11111111-2222-3333-4444-555555555555/4026531836|4711|123456';

  it.each([
    ['another machine', ELSEWHERE, 1],
    ['a process of this machine that died', `${identityText(ownIdentity()).split('|')[0]}|1|1`, 0],
    ['nobody', 'no identity', 0],
  ])('takes a claim of %s for what it is', async (_, owner, left) => {
    const files = createScanFiles(folder, { isShared: true });
    const scanId = newScanId();
    await files.claim(scanId, 0);
    writeFileSync(join(await files.attemptFolder(scanId, 1), 'x'), 'x');
    writeFileSync(join(folder, `${scanId}.claim`), owner);
    await files.sweep(nothing);
    await files.sweepAbandoned(nothing);
    expect(readdirSync(folder).filter((name) => name === scanId)).toHaveLength(left);
  });

  it('gives a claim of another machine up after a day', async () => {
    const files = createScanFiles(folder, { isShared: true });
    const scanId = newScanId();
    await files.claim(scanId, 0);
    writeFileSync(join(folder, `${scanId}.claim`), ELSEWHERE);
    utimesSync(join(folder, `${scanId}.claim`), 1, 1);
    await files.attemptFolder(scanId, 1);
    expect(await files.sweep(nothing)).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves alone the folder of an attempt that starts elsewhere while records are asked for', async () => {
    const files = createScanFiles(folder, { isShared: true });
    const scanId = newScanId();
    writeFileSync(join(await files.attemptFolder(scanId, 1), 'x'), 'x');
    const startsMeanwhile = async () => {
      writeFileSync(join(await files.attemptFolder(scanId, 2), 'x'), 'x');
      return new Map<string, ReadonlySet<number>>();
    };
    expect(await files.sweep(startsMeanwhile)).toBe(1);
    expect(readdirSync(join(folder, scanId))).toEqual(['2']);
  });
});
