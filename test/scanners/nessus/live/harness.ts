import { PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { Credential } from '../../../../src/model/credential.ts';
import { newScanId, newTraceId } from '../../../../src/model/ids.ts';
import type { ScanRequest } from '../../../../src/model/scan.ts';
import type { PinnedTarget } from '../../../../src/model/target.ts';
import type { Timing } from '../../../../src/scanners/nessus/api/timing.ts';
import { NessusSettings, TenableVmSettings } from '../../../../src/scanners/nessus/live/settings.ts';
import { createNessusScanner, NESSUS, TENABLE_VM } from '../../../../src/scanners/nessus/nessus-type.ts';
import type { Checkpoint, EngineProgress, RawReport, Scanner } from '../../../../src/scanners/scanner.ts';
import type { JournalEntry } from '../../../../src/simulators/nessus/journal.ts';
import type { ScenarioInput } from '../../../../src/simulators/nessus/scenario.ts';
import { startNessusSimulator, type NessusSimulator } from '../../../../src/simulators/nessus/simulator.ts';
import { scanRequest } from '../../../contracts/scanner-contract.ts';

/** What happened in one attempt. */
export interface Attempt {
  readonly outcome: RawReport | undefined;
  readonly error: unknown;
  readonly report: string;
  readonly progress: readonly EngineProgress[];
}

export interface AttemptOptions {
  readonly request?: Partial<ScanRequest>;
  readonly targets?: readonly PinnedTarget[];
  readonly credential?: Credential;
  readonly signal?: AbortSignal;
  /** Of an earlier attempt, kept by the queue. */
  readonly previous?: Checkpoint | undefined;
  readonly scanId?: string;
  readonly epoch?: number;
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  readonly onProgress?: (progress: EngineProgress) => void;
  readonly report?: Writable;
}

export const address = (text: string): PinnedTarget => ({
  target: { kind: 'address', text, address: text },
  addresses: [text],
});

/** A simulated Nessus and our engine beside it. Waiting costs nothing: it moves the clock of both. */
export class Lab {
  readonly sim: NessusSimulator;
  readonly scanner: Scanner;
  readonly #scanners: Scanner[] = [];
  readonly #timing: Timing;
  checkpoints: Checkpoint[] = [];

  constructor(sim: NessusSimulator, settings: Record<string, unknown>, isTenable: boolean) {
    this.sim = sim;
    let passed = 0;
    this.#timing = {
      now: () => sim.control.now(),
      monotonic: () => passed,
      random: () => 0,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        passed += ms;
        sim.control.advance(ms);
        await turn();
        signal.throwIfAborted();
      },
    };
    this.scanner = this.another(settings, isTenable);
  }

  /** Lets time go by for the simulator and for us. */
  async pass(ms: number): Promise<void> {
    await this.#timing.sleep(ms, new AbortController().signal);
  }

  /** A client of its own. Those of one lab share a clock, and so are of one process. */
  another(settings: Record<string, unknown> = {}, isTenable = false): Scanner {
    const { accessKey, secretKey } = this.sim.auth;
    const login = 'username' in settings ? {} : { access_key: accessKey, secret_key: secretKey };
    const tls =
      this.sim.certificate && !('tls_verify' in settings || 'ca_file' in settings || 'tls_fingerprint' in settings)
        ? { tls_fingerprint: this.sim.certificate.fingerprint }
        : {};
    const written = { url: this.sim.url, ...login, ...tls, ...settings };
    const made = isTenable
      ? createNessusScanner(TenableVmSettings.parse(written), TENABLE_VM, this.#timing)
      : createNessusScanner(NessusSettings.parse(written), NESSUS, this.#timing);
    this.#scanners.push(made);
    return made;
  }

  async attempt(options: AttemptOptions = {}, scanner = this.scanner): Promise<Attempt> {
    const targets = options.targets ?? [address('10.0.0.1')];
    const report = options.report ?? new PassThrough();
    const written = report instanceof PassThrough ? text(report).catch(() => '') : Promise.resolve('');
    const progress: EngineProgress[] = [];
    const job = {
      scanId: options.scanId ?? newScanId(),
      traceId: newTraceId(),
      epoch: options.epoch ?? 1,
      request: scanRequest(targets.length > 0 ? targets : [address('10.0.0.1')], options.request),
      targets,
    };
    const result = await scanner
      .run(job, {
        signal: options.signal ?? new AbortController().signal,
        report,
        previous: options.previous,
        ...(options.credential ? { credential: options.credential } : {}),
        checkpoint: async (made) => {
          await turn();
          options.onCheckpoint?.(made);
          this.checkpoints.push(made);
        },
        progress: (step) => {
          progress.push(step);
          options.onProgress?.(step);
        },
      })
      .then(
        (outcome) => ({ outcome, error: undefined }),
        (error: unknown) => ({ outcome: undefined, error }),
      );
    return { ...result, report: await written, progress };
  }

  /** Requests to a route that were answered with success. */
  done(method: string, route: string): readonly JournalEntry[] {
    return this.all(method, route).filter(({ status }) => status !== null && status < 300);
  }

  all(method: string, route: string): readonly JournalEntry[] {
    return this.sim.journal.entries().filter((entry) => entry.method === method && entry.route === route);
  }

  /** Writes to scans that somebody else made: there must be none. */
  foreignWrites(): readonly JournalEntry[] {
    return this.sim.journal
      .entries()
      .filter(({ method, scan_origin: origin }) => method !== 'GET' && origin === 'foreign');
  }

  async close(): Promise<void> {
    for (const scanner of this.#scanners) await scanner.close?.();
    await this.sim.close();
  }
}

export async function openLab(
  scenario: ScenarioInput = {},
  settings: Record<string, unknown> = {},
  { http = true }: { http?: boolean } = {},
): Promise<Lab> {
  const sim = await startNessusSimulator({ scenario, http, manualClock: true });
  return new Lab(sim, settings, scenario.edition === 'tenable_vm');
}

/** Of the worker's stop button. */
export const stopped = (stop: string): Error => Object.assign(new Error(`stopped: ${stop}`), { stop });
