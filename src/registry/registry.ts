import type { EngineCapabilities, ScannerHealth } from '../model/capability.ts';
import type { ScanRequest } from '../model/scan.ts';
import type { Scanner } from '../scanners/scanner.ts';

/** One instance of a pool as the running configuration has it. */
export interface Instance {
  readonly pool: string;
  readonly instanceId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly limit: number;
  /** Running scans keep this handle across reloads. */
  readonly scanner: Scanner;
}

export interface Pool {
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  /** The engine's own check of a request. @throws AppError invalid_request, option_unsupported */
  readonly check?: (request: ScanRequest) => void;
  readonly instances: readonly Instance[];
}

/** `open`: given no scans after repeated failures until a probe succeeds; `half_open`: one trial scan. */
export type Circuit = 'closed' | 'open' | 'half_open';

export interface InstanceHealth extends ScannerHealth {
  readonly circuit: Circuit;
}

export interface ConfigStatus {
  /** Epoch milliseconds of the last successful load. */
  readonly loadedAt: number;
  /** Where the pools came from: a file path, or `built-in defaults`. */
  readonly source: string;
  /** Why the newest file was refused; the one before stays in force. */
  readonly lastError?: string;
}

/**
 * The pools of scanners.yaml. A snapshot is swapped whole on reload; a broken file changes nothing.
 * Round-robin itself is part of the queue's claim, because limits and rotation hold across processes.
 */
export interface Registry {
  pools(): readonly Pool[];
  readonly defaultPool: string;
  /** @throws AppError pool_unknown, listing the valid ones */
  pool(name: string): Pool;
  /** @throws AppError pool_unknown, instance_unknown, listing the valid ones */
  instance(pool: string, instanceId: string): Instance;
  /** Enabled instances that may take a scan now: probed healthy and circuit not open (half-open: limit 1). */
  available(): readonly { readonly pool: string; readonly instance: string; readonly limit: number }[];
  /** Health of one instance, probing when nothing fresh (60 s) is known. */
  health(instance: Instance, signal: AbortSignal): Promise<InstanceHealth>;
  /** Probes every enabled instance, e.g. before a worker's first claim. */
  probeAll(signal: AbortSignal): Promise<void>;
  /** Feeds the circuit breaker: did this instance do its part in a scan? */
  reportOutcome(pool: string, instanceId: string, ok: boolean): void;
  status(): ConfigStatus;
  /** Validates the file whole, then swaps. Resolves to the status; never throws for a bad file. */
  reload(): Promise<ConfigStatus>;
  /** Reloads on file change and on `SIGHUP` until `signal` aborts. */
  watch(signal: AbortSignal): void;
  /** Called after every swap and every change of health or circuit. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  /** Lets scanners go: sessions and connections. Takes no more than a few seconds. */
  close(): Promise<void>;
}
