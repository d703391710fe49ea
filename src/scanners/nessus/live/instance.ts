import type { NessusApi } from '../api/nessus-api.ts';
import type { Timing } from '../api/timing.ts';
import { ownAccount } from './own-account.ts';
import { createScanPoller, type ScanPoller } from './scan-poller.ts';

/** What an operator wrote about where scans go and how long things may take. Times in milliseconds. */
export interface InstanceOptions {
  readonly folder?: string | undefined;
  readonly template?: string | undefined;
  readonly scannerName?: string | undefined;
  /** Which of the two a scan names its scanner by. */
  readonly scannerKey: 'id' | 'uuid';
  readonly remoteFolders: readonly RemoteFolder[];
  readonly deleteAfterDays?: number | undefined;
  readonly exportMs: number;
  readonly stopMs: number;
  readonly outageMs: number;
}

export interface RemoteFolder {
  readonly name: string;
  /** Without it, `local`. */
  readonly tenants?: readonly string[];
}

/** One configured scanner, with what its scans share. */
export interface NessusInstance {
  readonly api: NessusApi;
  readonly options: InstanceOptions;
  readonly timing: Timing;
  readonly poller: ScanPoller;
  /** Aborts when the instance is closed: for work that must not end with one scan. */
  readonly life: AbortSignal;
  /** The account's own name there, as scans name their owner; undefined where that cannot be asked. */
  owner(signal: AbortSignal): Promise<string | undefined>;
  /** Keeps connections and session while `work` runs. */
  using<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createInstance(api: NessusApi, options: InstanceOptions, timing: Timing): NessusInstance {
  const life = new AbortController();
  const idle: (() => void)[] = [];
  let users = 0;
  let ownName: string | undefined;
  return {
    api,
    options,
    timing,
    life: life.signal,
    poller: createScanPoller({ api, timing }, life.signal),
    async owner(signal) {
      ownName ??= (await ownAccount(api, signal))?.username;
      return ownName;
    },
    async using(work) {
      users += 1;
      try {
        return await work();
      } finally {
        users -= 1;
        if (users === 0) for (const wake of idle.splice(0)) wake();
      }
    },
    async close() {
      // A session is never closed under a running scan.
      while (users > 0) await new Promise<void>((resolve) => void idle.push(resolve));
      life.abort(new Error('closed'));
      await api.close();
    },
  };
}
