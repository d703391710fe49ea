import type { ScannerHealth } from '../model/capability.ts';
import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Scanner } from '../scanners/scanner.ts';
import { afterFailure, afterSuccess, circuitAt, CLOSED, type CircuitState } from './circuit.ts';
import type { Circuit } from './registry.ts';

/** What is known about one scanner. Lives as long as its engine and settings stay the same, over any reload. */
export interface WatchedScanner {
  readonly pool: string;
  readonly instanceId: string;
  /** Fingerprint of engine and settings. */
  readonly fingerprint: string;
  readonly scanner: Scanner;
  health: ScannerHealth | undefined;
  /** Monotonic milliseconds of the last probe's end. */
  checkedAt: number;
  circuit: CircuitState;
  probing: Promise<ScannerHealth> | undefined;
}

export const watched = (
  facts: Pick<WatchedScanner, 'pool' | 'instanceId' | 'fingerprint' | 'scanner'>,
): WatchedScanner => ({ ...facts, health: undefined, checkedAt: 0, circuit: CLOSED, probing: undefined });

export interface HealthWatch {
  /** Joins a running probe, else starts one. Never rejects; ends within the time limit whatever the scanner does. */
  probe(target: WatchedScanner): Promise<ScannerHealth>;
  isFresh(target: WatchedScanner): boolean;
  circuit(target: WatchedScanner): Circuit;
  reportOutcome(target: WatchedScanner, ok: boolean): void;
}

export interface HealthWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly freshMs: number;
  readonly timeLimitMs: number;
  readonly onHealth: (pool: string, instance: string, health: ScannerHealth) => void;
  /** Health or circuit of something is not what it was. */
  readonly changed: () => void;
}

export function createHealthWatch(deps: HealthWatchDeps): HealthWatch {
  const { clock, log } = deps;

  const probe = async (target: WatchedScanner): Promise<ScannerHealth> => {
    const before = JSON.stringify(target.health);
    const health = await probeOnce(target, deps);
    target.health = health;
    target.checkedAt = clock.monotonic();
    target.probing = undefined;
    deps.onHealth(target.pool, target.instanceId, health);
    if (JSON.stringify(health) !== before) {
      log.info({ pool: target.pool, instance: target.instanceId, health }, 'Health of a scanner changed.');
      deps.changed();
    }
    return health;
  };

  return {
    probe(target) {
      target.probing ??= probe(target);
      return target.probing;
    },
    isFresh: ({ health, checkedAt }) => health !== undefined && clock.monotonic() - checkedAt < deps.freshMs,
    circuit: ({ circuit }) => circuitAt(circuit, clock.monotonic()),
    reportOutcome(target, ok) {
      const now = clock.monotonic();
      const before = circuitAt(target.circuit, now);
      target.circuit = ok ? afterSuccess() : afterFailure(target.circuit, now, deps.random);
      const after = circuitAt(target.circuit, now);
      if (after === before) return;
      log.warn({ pool: target.pool, instance: target.instanceId, circuit: after }, 'Circuit of a scanner changed.');
      deps.changed();
    },
  };
}

async function probeOnce({ pool, instanceId, scanner }: WatchedScanner, deps: HealthWatchDeps): Promise<ScannerHealth> {
  const limit = AbortSignal.timeout(deps.timeLimitMs);
  // Also holds for a probe that does not listen to its signal.
  const timeUp = new Promise<never>((_resolve, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason), { once: true });
  });
  try {
    return await Promise.race([scanner.probe(limit), timeUp]);
  } catch (error) {
    if (limit.aborted) return unhealthy(`It did not answer within ${deps.timeLimitMs / 1_000} s.`);
    deps.log.warn({ pool, instance: instanceId, err: error }, 'Probe of a scanner failed.');
    return unhealthy(error instanceof AppError ? error.message : 'The probe failed; see the log.');
  }
}

const unhealthy = (why: string): ScannerHealth => ({ status: 'unhealthy', canLaunch: false, why });
