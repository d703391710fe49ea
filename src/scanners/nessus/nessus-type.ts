import type { ScanRequest } from '../../model/scan.ts';
import type { RunContext, ScanJob, Scanner, ScannerType } from '../scanner.ts';
import { openAuthority } from './api/authority.ts';
import { createClient } from './api/client.ts';
import { createNessusApi, type NessusApi } from './api/nessus-api.ts';
import { systemTiming, type Timing } from './api/timing.ts';
import { createInstance } from './live/instance.ts';
import { portRangeOf } from './live/new-scan.ts';
import { probeNessus, probeTenable } from './live/probe.ts';
import { createRemoteReports } from './live/remote-reports.ts';
import { createUpkeep } from './live/retention.ts';
import { runRemote } from './live/run.ts';
import { accountOf, NessusSettings, TenableVmSettings, trustOf } from './live/settings.ts';
import { parseNessus } from './parse.ts';

const capabilities = {
  targetKinds: ['host', 'network'],
  authenticated: true,
  adoptable: true,
  intensities: ['light', 'standard', 'intrusive'],
  options: ['ports', 'privilege'],
  looksFor: [
    'weaknesses known to the plugins of its template, from outside',
    'missing patches and unsafe settings (with credentials)',
    'open ports and service versions',
  ],
} as const;

/** Nessus (Manager, Professional, Expert, Essentials). docs/engines/nessus.md says what each edition can do. */
export const nessusType: ScannerType<NessusSettings> = {
  capabilities: { engine: 'nessus', ...capabilities },
  settings: NessusSettings,
  check,
  create: (settings) => createNessusScanner(settings, NESSUS),
};

/** The same API in the cloud: keys only, ids of either kind, limits on how often it may be asked. */
export const tenableVmType: ScannerType<TenableVmSettings> = {
  capabilities: { engine: 'tenable_vm', ...capabilities },
  settings: TenableVmSettings,
  check,
  create: (settings) => createNessusScanner(settings, TENABLE_VM),
};

function check(request: ScanRequest): void {
  portRangeOf(request);
}

/** In what Nessus and Tenable Vulnerability Management differ. */
export interface Variant {
  readonly probe: (api: NessusApi, signal: AbortSignal) => ReturnType<Scanner['probe']>;
  readonly scannerKey: 'id' | 'uuid';
}

export const NESSUS: Variant = { probe: probeNessus, scannerKey: 'id' };
export const TENABLE_VM: Variant = { probe: probeTenable, scannerKey: 'uuid' };

/**
 * @param timing Tests bring their own.
 * @throws AppError config_invalid when `ca_file` cannot be read or holds no certificate
 */
export function createNessusScanner(
  settings: NessusSettings | TenableVmSettings,
  { probe, scannerKey }: Variant,
  timing: Timing = systemTiming,
): Scanner {
  const { answer_seconds: answer, connect_seconds: connect } = settings;
  const client = createClient({
    address: {
      url: new URL(settings.url),
      tls: trustOf(settings, settings.ca_file === undefined ? undefined : openAuthority(settings.ca_file)),
      connectMs: connect * 1_000,
      silenceMs: answer * 1_000,
    },
    account: accountOf(settings),
    answerMs: answer * 1_000,
    timing,
  });
  const api = createNessusApi(client);
  const instance = createInstance(
    api,
    {
      folder: settings.folder,
      template: settings.template,
      scannerName: settings.scanner_name,
      scannerKey,
      remoteFolders: settings.remote_folders.map((folder) => (typeof folder === 'string' ? { name: folder } : folder)),
      deleteAfterDays: settings.delete_after_days,
      exportMs: settings.export_minutes * 60_000,
      stopMs: settings.stop_minutes * 60_000,
      outageMs: settings.outage_minutes * 60_000,
    },
    timing,
  );
  return {
    probe: async (signal) => {
      signal.throwIfAborted();
      return await probe(api, signal);
    },
    run: (job: ScanJob, ctx: RunContext) => runRemote(instance, job, ctx),
    parse: parseNessus,
    remote: createRemoteReports(instance),
    upkeep: createUpkeep(instance),
    close: () => instance.close(),
  };
}
