import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { AppError } from '../../src/model/errors.ts';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanResult } from '../../src/model/scan.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { createHousekeeper, type HousekeeperDeps } from '../../src/worker/housekeeper.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { fakeClock, SETTINGS } from '../queue/sqlite-harness.ts';

const DAY = 86_400_000;
const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 99 }];
const ERROR = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const RESULT: ScanResult = {
  verdict: 'complete',
  coverage: noCoverage(0),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};

/** A data folder with what a process keeps house with; `housekeeper` is one more process. */
async function installation() {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-house-'));
  const clock = fakeClock();
  const { queue, operations } = await openSqliteQueue({ folder, clock, settings: SETTINGS, isAlive: () => true });
  const audit = await openAuditLog({ folder, clock });
  const exportsFolder = join(folder, 'exports');
  const findings = createFindingsStore({ exportsFolder });
  const files = createScanFiles(join(folder, 'scans'));
  onTestFinished(async () => {
    await findings.close();
    await audit.close();
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const housekeeper = (over: Partial<HousekeeperDeps> = {}) => {
    const house = createHousekeeper({
      operations,
      queue,
      files,
      findings,
      audit: (entry) => audit.append(entry),
      clock,
      log: silentLog,
      holder: 'one',
      rules: { finishedMs: 30 * DAY, deadLetterMs: 90 * DAY },
      sweeps: true,
      ...over,
    });
    onTestFinished(() => house.close());
    return house;
  };
  /** A scan that has ended, with a report and an export. */
  const finished = async (kind: 'completed' | 'failed' = 'completed', tenant = 'local'): Promise<string> => {
    const { scan } = await queue.submit(newScan({}, { tenant }));
    const claim = await queue.claim('w', SLOTS);
    if (!claim) throw new Error('nothing to claim');
    await queue.finish(claim, kind === 'failed' ? { kind, error: ERROR, result: RESULT } : { kind, result: RESULT });
    writeFileSync(join(await files.attemptFolder(scan.scanId, claim.epoch), 'report.raw'), 'x');
    mkdirSync(join(exportsFolder, scan.scanId), { recursive: true });
    writeFileSync(join(exportsFolder, scan.scanId, 'out.json'), 'x');
    return scan.scanId;
  };
  const filesOf = (scanId: string): boolean[] =>
    ['scans', 'exports'].map((name) => existsSync(join(folder, name, scanId)));
  const isThere = async (scanId: string) => (await operations.find(scanId)) !== undefined;
  const entries = async () => (await audit.tail(100)).filter(({ action }) => action === 'retention');
  return { folder, clock, queue, operations, files, housekeeper, finished, filesOf, isThere, entries, exportsFolder };
}

describe('the housekeeper', () => {
  it('removes what is too old with its files and exports, dead letters later, and writes down what', async () => {
    const { clock, housekeeper, finished, filesOf, isThere, entries } = await installation();
    const [old, others, dead] = [await finished(), await finished('completed', 'other'), await finished('failed')];
    clock.advance(20 * DAY);
    const young = await finished();
    const house = housekeeper();
    await house.round();
    expect(await Promise.all([old, others, dead, young].map(isThere))).toEqual([true, true, true, true]);
    clock.advance(11 * DAY);
    await house.round();
    expect(await Promise.all([old, others, dead, young].map(isThere))).toEqual([false, false, true, true]);
    expect([filesOf(old), filesOf(others)]).toEqual([
      [false, false],
      [false, false],
    ]);
    expect([filesOf(dead), filesOf(young)]).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(await entries()).toMatchObject([
      { caller: { tenant: 'local', name: 'housekeeper' }, decision: 'removed', detail: { scans: 1, scan_ids: [old] } },
      { caller: { tenant: 'other' }, detail: { scans: 1, scan_ids: [others] } },
    ]);
    clock.advance(60 * DAY);
    await house.round();
    expect(await isThere(dead)).toBe(false);
    expect(filesOf(dead)).toEqual([false, false]);
  });

  it('removes nothing that no rule names', async () => {
    const { clock, housekeeper, finished, isThere, entries } = await installation();
    const scans = [await finished(), await finished('failed')];
    clock.advance(10_000 * DAY);
    await housekeeper({ rules: {} }).round();
    expect(await Promise.all(scans.map(isThere))).toEqual([true, true]);
    expect(await entries()).toEqual([]);
  });

  it('is one of all processes; another takes over when it is gone', async () => {
    const { clock, operations, housekeeper, finished, isThere } = await installation();
    const [first, second] = [housekeeper(), housekeeper({ holder: 'two' })];
    await first.round();
    const old = await finished();
    clock.advance(31 * DAY);
    // The turn has run out, and both ask at once.
    const calls: string[] = [];
    const counting = (holder: string) =>
      housekeeper({
        holder,
        operations: {
          takeTurn: (...args) => operations.takeTurn(...args),
          releaseTurn: (...args) => operations.releaseTurn(...args),
          removeFinished: (...args) => {
            calls.push(holder);
            return operations.removeFinished(...args);
          },
        },
      });
    await Promise.all([counting('three').round(), counting('four').round()]);
    expect(await isThere(old)).toBe(false);
    expect(new Set(calls).size).toBe(1);
    const late = await finished();
    clock.advance(31 * DAY);
    await second.round();
    expect(await isThere(late)).toBe(false);
  });

  it('leaves its turn to another when it is closed, and a killed one after two minutes', async () => {
    const { clock, housekeeper, finished, isThere } = await installation();
    const old = await finished();
    const first = housekeeper();
    await first.round();
    clock.advance(31 * DAY);
    await housekeeper().round(); // the same holder: not closed, so killed as far as others know
    expect(await isThere(old)).toBe(false);
    const late = await finished();
    const second = housekeeper({ holder: 'two', rules: { finishedMs: 0 } });
    clock.advance(60_000);
    await second.round();
    expect(await isThere(late)).toBe(true);
    await first.close();
    await second.round();
    expect(await isThere(late)).toBe(false);
    const last = await finished();
    clock.advance(120_000);
    await housekeeper({ holder: 'three', rules: { finishedMs: 0 } }).round();
    expect(await isThere(last)).toBe(false);
  });

  it('closes although the turn cannot be given back', async () => {
    const { operations, housekeeper } = await installation();
    const house = housekeeper({
      operations: {
        takeTurn: (...args) => operations.takeTurn(...args),
        releaseTurn: () => Promise.reject(new AppError('queue_unavailable', 'away')),
        removeFinished: (retention) => operations.removeFinished(retention),
      },
    });
    await house.round();
    await expect(house.close()).resolves.toBeUndefined();
  });

  it('removes files that it could not remove before', async () => {
    const { clock, files, housekeeper, finished, filesOf, isThere } = await installation();
    const old = await finished();
    clock.advance(31 * DAY);
    const state = { isAway: true };
    const house = housekeeper({
      files: {
        sweep: (referenced) => files.sweep(referenced),
        async removeScans(ids) {
          if (state.isAway) throw new AppError('storage_unavailable', 'away');
          await files.removeScans(ids);
        },
      },
    });
    await house.round();
    expect([await isThere(old), filesOf(old)]).toEqual([false, [true, true]]);
    state.isAway = false;
    await house.round();
    expect(filesOf(old)).toEqual([false, false]);
  });

  it('sweeps once a day what a process left that was killed between the records and the files', async () => {
    const { clock, operations, housekeeper, finished, filesOf, isThere } = await installation();
    const [old, young] = [await finished(), await finished()];
    const house = housekeeper({ rules: {} });
    await operations.removeFinished({ finishedBefore: clock.now() + 1, limit: 1 }); // and then kill -9
    expect([await isThere(old), await isThere(young)]).toEqual([false, true]);
    await house.round();
    expect(filesOf(old)[0]).toBe(true);
    clock.advance(DAY + 1);
    await house.round();
    expect(filesOf(old)[0]).toBe(false);
    expect(filesOf(young)[0]).toBe(true);
  });

  it('sweeps its own disk also while another process has the turn', async () => {
    const { clock, operations, housekeeper, finished, filesOf } = await installation();
    const old = await finished();
    const house = housekeeper();
    clock.advance(31 * DAY);
    await housekeeper({
      holder: 'another machine',
      files: { removeScans: async () => {}, sweep: async () => 0 },
    }).round();
    expect(await operations.find(old)).toBeUndefined();
    expect(filesOf(old)[0]).toBe(true);
    await house.round();
    expect(filesOf(old)[0]).toBe(false);
  });

  it('frees room although the audit log is full', async () => {
    const { clock, housekeeper, finished, filesOf } = await installation();
    const old = await finished();
    clock.advance(31 * DAY);
    await housekeeper({ audit: () => Promise.reject(new AppError('storage_full', 'full')) }).round();
    expect(filesOf(old)).toEqual([false, false]);
  });

  it('removes many in steps, stops between two when it is closed, and starts no more', async () => {
    const { clock, operations, housekeeper, finished } = await installation();
    const scans: string[] = [];
    for (let made = 0; made < 450; made += 1) scans.push(await finished());
    clock.advance(31 * DAY);
    const sizes: number[] = [];
    const closing: Promise<void>[] = [];
    const house = housekeeper({
      operations: {
        takeTurn: (...args) => operations.takeTurn(...args),
        releaseTurn: (...args) => operations.releaseTurn(...args),
        async removeFinished(retention) {
          const removed = await operations.removeFinished(retention);
          sizes.push(removed.length);
          if (sizes.length === 2) closing.push(house.close());
          return removed;
        },
      },
    });
    await house.round();
    await Promise.all(closing);
    await house.round();
    expect(sizes).toEqual([200, 200]);
    expect((await operations.list({ states: ['completed'], offset: 0, limit: 1 })).total).toBe(50);
    await housekeeper({ holder: 'one' }).round();
    expect((await operations.list({ states: ['completed'], offset: 0, limit: 1 })).total).toBe(0);
  });

  it('removes old exports on every machine, whoever has the turn', async () => {
    const { operations, housekeeper, finished, exportsFolder } = await installation();
    await operations.takeTurn('housekeeping', 'another', DAY);
    const scanId = await finished();
    const old = join(exportsFolder, scanId, 'out.json');
    const longAgo = Date.now() / 1_000 - 8 * 86_400;
    utimesSync(old, longAgo, longAgo);
    writeFileSync(join(exportsFolder, scanId, 'new.json'), 'x');
    await housekeeper().round();
    expect([existsSync(old), existsSync(join(exportsFolder, scanId, 'new.json'))]).toEqual([false, true]);
  });
});
