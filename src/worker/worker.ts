import type { WorkerDeps } from './deps.ts';
import { runAttempt } from './attempt.ts';
import type { WorkerFacts } from '../queue/operations.ts';
import type { Slot } from '../queue/queue.ts';
import { startHeart } from './heart.ts';
import { endLeftovers } from './leftovers.ts';
import { createOutageLog } from './outage-log.ts';
import { publishHealth } from './publish-health.ts';
import { keepUp } from './upkeep.ts';

/** Longest sleep between two looks at the queue: a lost wake-up costs at most this. */
const LOOK_EVERY_MS = 1_000;
/** Health of instances is refreshed this often by whoever runs scans. */
const PROBE_EVERY_MS = 60_000;

export interface WorkerRun {
  /** Aborts when the process was asked to go: no new claims, running scans get the grace time. */
  readonly signal: AbortSignal;
  /** Asked when there was nothing to do for a while: true lets the worker go. */
  readonly mayLeave?: () => Promise<boolean>;
}

/**
 * Claims scans and runs them until told to stop or until idle. Knows no engine: what an instance can do is the
 * registry's business, what a scan is, the queue's.
 */
export async function runWorker(given: WorkerDeps, { signal, mayLeave }: WorkerRun): Promise<void> {
  const { log, answered } = createOutageLog(given.log, given.clock);
  const deps = { ...given, log };
  const { queue, registry, workerId, settings } = deps;
  const everyMs = settings.heartbeatMs;
  const heart = await startHeart({ queue, workerId, facts: factsOf(deps), everyMs, log, answered });
  const probes = setInterval(() => {
    void registry.probeAll(signal).catch(() => undefined);
    void keepUp(deps);
    // The only worker has seen to all of them before its first scan.
    if (!deps.isAlone) void endLeftovers(deps);
  }, PROBE_EVERY_MS);
  const shutdown = new AbortController();
  const running = new Map<string, Promise<void>>();
  const wake = createAlarm();
  const unlisten = registry.onChange(() => {
    wake.ring();
    void publishHealth(deps, signal);
  });
  signal.addEventListener('abort', heart.drain, { once: true });
  try {
    await registry.probeAll(signal).catch(() => undefined);
    await publishHealth(deps, signal);
    void keepUp(deps);
    await endLeftovers(deps);
    await sweep(deps);
    void deps.keepHouse?.();
    await loop(deps, { signal, running, shutdown: shutdown.signal, wake, ...(mayLeave ? { mayLeave } : {}) });
    await drain(running, shutdown, settings.graceMs);
  } finally {
    clearInterval(probes);
    unlisten();
    signal.removeEventListener('abort', heart.drain);
    await heart.stop();
  }
}

const factsOf = ({ settings: { pools, maxConcurrentScans }, process }: WorkerDeps): Omit<WorkerFacts, 'draining'> => ({
  ...process,
  concurrency: maxConcurrentScans,
  ...(pools === undefined ? {} : { pools }),
});

/** Instances that could take a scan now, of the pools it serves. */
function slotsOf({ registry, settings: { pools } }: WorkerDeps): readonly Slot[] {
  const slots = registry.available();
  return pools === undefined ? slots : slots.filter(({ pool }) => pools.includes(pool));
}

interface Loop extends WorkerRun {
  readonly running: Map<string, Promise<void>>;
  readonly shutdown: AbortSignal;
  readonly wake: Alarm;
}

async function loop(deps: WorkerDeps, { signal, running, shutdown, wake, mayLeave }: Loop): Promise<void> {
  const { queue, settings, clock, log } = deps;
  let busyAt = clock.monotonic();
  while (!signal.aborted) {
    // Taken before looking: a ring while we look must cut the next sleep short.
    const rung = wake.next();
    try {
      while (!signal.aborted && running.size < settings.maxConcurrentScans) {
        const claim = await queue.claim(deps.workerId, slotsOf(deps));
        if (!claim) break;
        const key = `${claim.scan.scanId}.${claim.epoch}`;
        const done = runAttempt(deps, claim, shutdown).then(() => {
          running.delete(key);
          wake.ring();
        });
        running.set(key, done);
      }
    } catch (error) {
      log.warn({ err: error }, 'queue cannot be read; trying again');
    }
    if (running.size > 0) busyAt = clock.monotonic();
    const idleMs = clock.monotonic() - busyAt;
    if (settings.idleExitMs !== undefined && idleMs >= settings.idleExitMs && (await isFree(deps, mayLeave))) return;
    await sleep(deps, AbortSignal.any([rung, signal]));
  }
}

/** A queue that cannot be asked keeps the worker: there may be scans in it. */
async function isFree({ log }: WorkerDeps, mayLeave: WorkerRun['mayLeave']): Promise<boolean> {
  try {
    return (await mayLeave?.()) === true;
  } catch (error) {
    log.warn({ err: error }, 'queue cannot be asked; the worker stays');
    return false;
  }
}

/** Until there may be work: a submit, a cancel, the end of an attempt, a registry change, a retry that falls due. */
async function sleep({ queue, log }: WorkerDeps, woken: AbortSignal): Promise<void> {
  try {
    const dueInMs = (await queue.nextRetryInMs()) ?? LOOK_EVERY_MS;
    const wait = Math.max(1, Math.min(dueInMs, LOOK_EVERY_MS));
    await queue.waitForWork(woken, wait);
  } catch (error) {
    log.warn({ err: error }, 'queue cannot be watched; trying again');
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function drain(
  running: ReadonlyMap<string, Promise<void>>,
  shutdown: AbortController,
  graceMs: number,
): Promise<void> {
  const timer = setTimeout(() => shutdown.abort(), graceMs);
  await Promise.all(running.values());
  clearTimeout(timer);
}

async function sweep({ files, queue, log }: WorkerDeps): Promise<void> {
  try {
    const removed = await files.sweep((scanIds) => queue.referencedAttempts(scanIds));
    if (removed > 0) log.info({ removed }, 'unreferenced attempt folders removed');
  } catch (error) {
    log.warn({ err: error }, 'sweep failed; the next worker tries again');
  }
}

interface Alarm {
  readonly ring: () => void;
  /** A signal that aborts at the next ring, or at once when one came since the last call. */
  next(): AbortSignal;
}

function createAlarm(): Alarm {
  let controller = new AbortController();
  return {
    ring: () => controller.abort(),
    next() {
      if (controller.signal.aborted) controller = new AbortController();
      return controller.signal;
    },
  };
}
