import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweptForTheirQueue, type OwnFiles } from '../../src/findings/own-files.ts';
import { ownedFolder } from '../../src/findings/owned-place.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { newScanId } from '../../src/model/ids.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';

let root: string;
let folder: string;
let told: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'scanmux-own-'));
  folder = join(root, 'scans');
  told = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const log = { error: (_facts: object, message: string) => void told.push(message) };

const filesOf = (queue: string): OwnFiles =>
  sweptForTheirQueue(createScanFiles(folder), [ownedFolder(folder)], { queueId: async () => queue, log });
const foreignTo = (queue: string): Promise<string | undefined> => filesOf(queue).foreignOwner();

/** Removes what a queue that knows these scans has no record of. */
const sweepFor = (queue: string, known: readonly string[]): Promise<number> =>
  filesOf(queue).sweep((scanIds) =>
    Promise.resolve(
      new Map(
        known.filter((id) => scanIds.includes(id)).map((id): [string, ReadonlySet<number>] => [id, new Set([1])]),
      ),
    ),
  );

function scan(): string {
  const scanId = newScanId();
  mkdirSync(join(folder, scanId, '1'), { recursive: true });
  writeFileSync(join(folder, scanId, '1', 'report.raw'), 'evidence');
  return scanId;
}
const scans = (): string[] => readdirSync(folder).filter((name) => name.startsWith('scan_'));

describe('the files of scans', () => {
  it('are swept for the queue whose scans they are, from its first sweep on', async () => {
    expect(await sweepFor('a', [])).toBe(0);
    const [kept, left] = [scan(), scan()];
    expect(await sweepFor('a', [kept])).toBe(1);
    expect(scans()).toEqual([kept]);
    expect(left).not.toBe(kept);
    expect(await foreignTo('a')).toBeUndefined();
  });

  it('become those of the queue that knows one of them, where nothing says whose they are', async () => {
    const [kept] = [scan(), scan()];
    expect(await sweepFor('a', [kept])).toBe(1);
    expect(scans()).toEqual([kept]);
  });

  it('are all kept from another queue, also when that has scans of its own there by now', async () => {
    const old = scan();
    await sweepFor('a', [old]);
    const young = scan();
    expect(await sweepFor('b', [young])).toBe(0);
    expect(scans().toSorted()).toEqual([old, young].toSorted());
    expect(told).toEqual([expect.stringContaining('another queue')]);
    expect(await foreignTo('b')).toBe(join(folder, '.queue-a'));
  });

  it('are all kept where nothing says whose they are and the queue knows none, and later on', async () => {
    const old = scan();
    expect(await sweepFor('a', [])).toBe(0);
    const young = scan();
    expect(await sweepFor('a', [young])).toBe(0);
    expect(scans().toSorted()).toEqual([old, young].toSorted());
    expect(await foreignTo('a')).toBe(join(folder, '.queue-unknown'));
    rmSync(join(folder, '.queue-unknown'));
    expect(await sweepFor('a', [young])).toBe(1);
    expect(scans()).toEqual([young]);
  });

  it('of another queue leave those of killed imports to the sweep', async () => {
    const old = scan();
    await sweepFor('a', [old]);
    const killed = scan();
    writeFileSync(join(folder, `${killed}.claim`), identityText({ ...ownIdentity(), pid: 2 ** 22 + 1 }));
    expect(await sweepFor('b', [])).toBe(1);
    expect(scans()).toEqual([old]);
    expect(readFileSync(join(folder, old, '1', 'report.raw'), 'utf8')).toBe('evidence');
  });

  it('are kept from both of two queues that take them for theirs at once', async () => {
    const [mine, yours] = [scan(), scan()];
    await ownedFolder(folder).addOwner('b');
    await ownedFolder(folder).addOwner('a');
    expect([await sweepFor('a', [mine]), await sweepFor('b', [yours])]).toEqual([0, 0]);
    expect(scans().toSorted()).toEqual([mine, yours].toSorted());
    expect(await Promise.all(['a', 'b'].map(foreignTo))).toEqual([join(folder, '.queue-b'), join(folder, '.queue-a')]);
  });

  it("are one queue's, also when several of its processes find that at once", async () => {
    const kept = scan();
    scan();
    const swept = await Promise.all([sweepFor('a', [kept]), sweepFor('a', [kept]), sweepFor('a', [kept])]);
    expect(swept.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(scans()).toEqual([kept]);
    expect(await foreignTo('a')).toBeUndefined();
  });
});
