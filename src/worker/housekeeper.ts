import type { ScanFiles } from '../findings/artefacts.ts';
import type { FindingsStore } from '../findings/findings.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { QueueOperations, RemovedScan, Retention } from '../queue/operations.ts';
import type { ScanQueue } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';

const TURN = 'housekeeping';
/** How often each process asks whether it is the one. */
const ROUND_EVERY_MS = 60_000;
/** Longer than a round, so that the turn stays where it is until its holder is gone: this long after it was killed. */
const TURN_MS = 90_000;
/** Scans removed in one step: the queue stands still for so many at most. */
const BATCH = 200;
/** In one round: what is left waits for the next. */
const BATCHES = 50;
const SWEEP_EVERY_MS = 24 * 3_600_000;
/** Scans whose files could not be removed that are remembered; more are left to the sweep. */
const MOST_OWED = 10_000;

/** How long what has ended stays; absent: for ever. */
export interface RetentionRules {
  readonly finishedMs?: number;
  readonly deadLetterMs?: number;
  readonly keepNewest?: number;
}

export interface HousekeeperDeps {
  readonly operations: Pick<QueueOperations, 'takeTurn' | 'releaseTurn' | 'removeFinished'>;
  readonly queue: Pick<ScanQueue, 'referencedAttempts'>;
  readonly files: Pick<ScanFiles, 'removeScans' | 'sweep'>;
  readonly findings: Pick<FindingsStore, 'tidyExports'>;
  readonly audit: WorkerDeps['audit'];
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that keep house. */
  readonly holder: string;
  readonly rules: RetentionRules;
  /**
   * Also looks, once a day and whoever has the turn, for files on its own disk that no record refers to: left by a
   * process that was killed between the two, or of scans that another machine has removed.
   */
  readonly sweeps: boolean;
}

export interface Housekeeper {
  /**
   * One round: removes what the rules say, if it is this process' turn, records first and their files after them. Old
   * exports of this machine go whoever's turn it is. Never throws, and never runs twice at once.
   */
  readonly round: () => Promise<void>;
  /** Ends a round that is under way at its next step, and those to come, and gives the turn back. Never throws. */
  readonly close: () => Promise<void>;
}

/** Keeps house every few minutes; that alone keeps no process alive. */
export function createHousekeeper(deps: HousekeeperDeps): Housekeeper {
  const { operations, findings, clock, log, holder } = deps;
  const owed = new Set<string>();
  let sweptAt = clock.monotonic();
  let isClosed = false;
  let running: Promise<void> | undefined;

  let mayHaveTurn = false;

  const isOurTurn = async (): Promise<boolean> => {
    if (isClosed) return false;
    // Before the answer, which may get lost.
    mayHaveTurn = true;
    mayHaveTurn = await operations.takeTurn(TURN, holder, TURN_MS);
    return mayHaveTurn;
  };
  const keep = async (): Promise<void> => {
    await findings.tidyExports([]);
    if (!(await isOurTurn())) return;
    await settle(deps, owed);
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const removed = await operations.removeFinished(retentionAt(deps.rules, clock.now()));
      if (removed.length === 0) break;
      for (const { scanId } of removed) if (owed.size < MOST_OWED) owed.add(scanId);
      await note(deps, removed);
      await settle(deps, owed);
      if (!(await isOurTurn())) return;
    }
  };
  const sweep = async (): Promise<void> => {
    if (!deps.sweeps || isClosed || clock.monotonic() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = clock.monotonic();
    const swept = await deps.files.sweep((scanIds) => deps.queue.referencedAttempts(scanIds));
    if (swept > 0) log.info({ removed: swept }, 'unreferenced attempt folders removed');
  };
  const round = (): Promise<void> => {
    if (isClosed) return Promise.resolve();
    running ??= keep()
      .then(sweep)
      .catch((error: unknown) => log.warn({ err: error }, 'housekeeping failed; the next round tries again'))
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  const timer = setInterval(() => void round(), ROUND_EVERY_MS);
  timer.unref();
  return {
    round,
    async close() {
      isClosed = true;
      clearInterval(timer);
      await running;
      if (!mayHaveTurn) return;
      mayHaveTurn = false;
      await operations
        .releaseTurn(TURN, holder)
        .catch((error: unknown) => log.debug({ err: error }, 'the turn to keep house runs out by itself'));
    },
  };
}

function retentionAt({ finishedMs, deadLetterMs, keepNewest }: RetentionRules, now: number): Retention {
  return {
    ...(finishedMs === undefined ? {} : { finishedBefore: now - finishedMs }),
    ...(deadLetterMs === undefined ? {} : { deadBefore: now - deadLetterMs }),
    ...(keepNewest === undefined ? {} : { keepNewest }),
    limit: BATCH,
  };
}

/** Every removed scan is named, tenant by tenant. A disk too full for it is one more reason to remove the files. */
async function note({ audit, log }: HousekeeperDeps, removed: readonly RemovedScan[]): Promise<void> {
  for (const tenant of new Set(removed.map((scan) => scan.tenant))) {
    const ids = removed.filter((scan) => scan.tenant === tenant).map(({ scanId }) => scanId);
    const caller = { tenant, name: 'housekeeper' };
    try {
      await audit({ caller, action: 'retention', decision: 'removed', detail: { scans: ids.length, scan_ids: ids } });
    } catch (error) {
      log.error({ err: error, tenant, scan_ids: ids }, 'removal by retention could not be written to the audit log');
    }
  }
  log.info({ scans: removed.length }, 'scans removed by retention');
}

/** Removes the files that are owed; what fails is owed on. */
async function settle({ files, findings, log }: HousekeeperDeps, owed: Set<string>): Promise<void> {
  const ids = [...owed].slice(0, BATCH);
  if (ids.length === 0) return;
  try {
    await files.removeScans(ids);
    await findings.tidyExports(ids);
    for (const scanId of ids) owed.delete(scanId);
  } catch (error) {
    log.warn({ err: error, scans: owed.size }, 'files of removed scans could not be removed yet');
  }
}
