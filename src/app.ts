import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, closeSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAuditLog, type AuditLog } from './audit/audit-log.ts';
import type { Environment } from './config/environment.ts';
import { CREDENTIALS_FILE } from './config/credentials-schema.ts';
import { findProgram } from './config/find-program.ts';
import { prepareDataFolder } from './config/folders.ts';
import { SCANNERS_FILE } from './config/scanners-schema.ts';
import { loadSettings, type Settings } from './config/settings.ts';
import { CATALOGUES, ENGINES, REPORT_FORMATS } from './engines.ts';
import { createCredentials } from './credentials/create-credentials.ts';
import type { CredentialsInspection } from './credentials/credentials.ts';
import { inspectCredentials } from './credentials/inspect.ts';
import type { Enrichment } from './findings/enrichment/enrichment.ts';
import { enrichingStore, openEnrichment } from './findings/enrichment/open-enrichment.ts';
import type { FindingsStore } from './findings/findings.ts';
import type { ScanFiles, WhilePresent } from './findings/artefacts.ts';
import { openScanFiles, type ScanFilesSettings } from './findings/open-scan-files.ts';
import { createFindingsStore } from './findings/findings-store.ts';
import { createBell, type Bell } from './platform/bell.ts';
import { leaseMsOf, openQueue, type OpenedQueue } from './open-queue.ts';
import { systemClock, type Clock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import { identityOf, identityText, ownIdentity } from './platform/process-identity.ts';
import { startDetached } from './platform/subprocess.ts';
import { createPolicy } from './policy/create-policy.ts';
import type { Policy } from './policy/policy.ts';
import type { WorkerSeat } from './queue/sqlite/worker-seat.ts';
import type { QueueOperations } from './queue/operations.ts';
import type { ApiKeys } from './queue/api-keys.ts';
import type { ScanQueue } from './queue/queue.ts';
import type { ServerSecrets } from './queue/server-secrets.ts';
import { createRegistry } from './registry/create-registry.ts';
import { defaultPools } from './registry/pool-config.ts';
import type { Registry } from './registry/registry.ts';
import type { ReportFormat } from './scanners/report-format.ts';
import type { ScannerType } from './scanners/scanner.ts';
import { VERSION } from './cli/version.ts';
import { createIndexScans } from './scans/index-scans.ts';
import { createUseCases, type UseCases } from './scans/use-cases.ts';
import type { WorkerDeps, WorkerSettings } from './worker/deps.ts';
import { createHousekeeper, type RetentionRules } from './worker/housekeeper.ts';
import { createWorkerLauncher } from './worker/launch.ts';
import { occupySeat } from './worker/occupy-seat.ts';
import { withOptions, type WorkerOptions } from './worker/options.ts';

/** Two, so that a question about findings need not wait for another that takes long. Started when first needed. */
const READER_THREADS = 2;

export const POLICY_FILE = 'policy.yaml';

export interface AppOptions {
  readonly configFolder: string;
  readonly dataFolder: string;
  /** Which scope holds when there is no policy.yaml: loopback only, or nothing. */
  readonly mode: 'stdio' | 'serve';
  readonly log: Log;
  readonly env: Environment;
  /** Start a worker process of its own when there is work. False inside the worker and with `--in-process`. */
  readonly spawnWorker: boolean;
  /** Uses a file even where the settings name a Redis: to look at the rest of the configuration while that is away. */
  readonly withoutRedis?: boolean;
  /** More engines by type, more kinds of report, and another program that runs the worker: for tests. */
  readonly engines?: Readonly<Record<string, ScannerType>>;
  readonly workerProgram?: string;
  readonly formats?: readonly ReportFormat[];
  /** 0 reads findings in this process: uncompiled code has no program for threads. */
  readonly readerThreads?: number;
  readonly clock?: Clock;
  readonly workerSettings?: Partial<WorkerSettings>;
}

export interface App {
  readonly settings: Settings;
  readonly scans: UseCases;
  readonly registry: Registry;
  readonly policy: Policy;
  readonly inspectCredentials: () => Promise<CredentialsInspection>;
  readonly queue: ScanQueue;
  readonly operations: QueueOperations;
  readonly keys: ApiKeys;
  readonly secrets: ServerSecrets;
  readonly audit: AuditLog;
  readonly enrichment: Enrichment;
  readonly files: ScanFiles;
  readonly seat: WorkerSeat;
  /** The Redis that holds the queue; undefined when a file does. */
  readonly redis: OpenedQueue['redis'];
  /** Rung by `scanmux reload`: every process of this data folder reloads. */
  readonly reloadBell: Bell;
  /**
   * Runs the worker here until `signal` aborts, or until there is nothing to do for a while.
   * False when another process already does.
   */
  runWorker(signal: AbortSignal, options: WorkerOptions): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Puts everything together: the only place that knows every adapter.
 * @throws AppError config_invalid, storage_unusable, data_too_new
 */
export async function openApp(options: AppOptions): Promise<App> {
  const { configFolder, dataFolder, log, env, clock = systemClock } = options;
  const settings = settingsOf(options);
  prepareDataFolder(dataFolder);
  const opened = await openQueue({ settings, dataFolder, clock, log });
  const { queue, operations, seat, redis, keys: _keys, secrets: _secrets, ...lists } = opened;
  const audit = await openAuditLog({ folder: dataFolder, clock });
  const reloadBell = createBell(dataFolder, 'reload');
  const policy = createPolicy({ file: join(configFolder, POLICY_FILE), mode: options.mode, clock });
  const credentials = createCredentials({ file: join(configFolder, CREDENTIALS_FILE), env });
  const registry = await openRegistry(options, settings, reloadBell);
  const over = new AbortController();
  registry.watch(over.signal);
  const enrichment = openEnrichment({ dataFolder, log });
  const files = await openScanFiles({ dataFolder, reserveBytes: reserveBytes(settings), ...storeSettings(settings) });
  const findings = openFindings(options, settings, { enrichment, whilePresent: files.whilePresent });
  const launcher = options.spawnWorker && !redis ? launcherOf(options, { queue, seat }) : undefined;
  const note: WorkerDeps['audit'] = (entry) => audit.append(entry);
  const shared = { queue, operations, registry, policy, credentials, findings, files, clock, log, audit: note };
  const indexScans = createIndexScans({ findings, files, log, index: lists.index });
  const scans = createUseCases({
    ...shared,
    ...useCaseSettings(settings, options),
    ...lists,
    indexScans,
    catalogues: CATALOGUES,
    wakeWorker: () => launcher?.wake(),
  });
  const self = aboutThisProcess(clock, redis === undefined);
  const keeper = { holder: self.workerId, rules: retentionRules(settings), sweeps: !options.spawnWorker };
  const house = createHousekeeper({ ...shared, ...keeper });
  const workerDeps: WorkerDeps = {
    ...shared,
    ...self,
    indexScans,
    keepHouse: house.round,
    random: Math.random,
    settings: { ...workerSettings(settings), ...options.workerSettings },
  };
  return {
    settings,
    scans,
    registry,
    policy,
    inspectCredentials: () => inspectCredentials(join(configFolder, CREDENTIALS_FILE), env),
    ...opened,
    audit,
    enrichment,
    files,
    reloadBell,
    runWorker: (signal, wanted) => occupySeat(withOptions(workerDeps, wanted), seat, signal),
    async close() {
      over.abort();
      await Promise.all([registry.close(), launcher?.close(), house.close()]);
      await closeAll([findings, enrichment, reloadBell, audit, queue]);
    },
  };
}

function settingsOf({ configFolder, env, withoutRedis }: AppOptions): Settings {
  const settings = loadSettings({ configFolder, env });
  return withoutRedis === true ? { ...settings, redis: { ...settings.redis, url: undefined } } : settings;
}

/** In this order, one after another. */
async function closeAll(parts: readonly { close(): void | Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close();
}

function openFindings(
  { log, dataFolder, readerThreads }: AppOptions,
  settings: Settings,
  { enrichment, whilePresent }: { enrichment: Enrichment; whilePresent: WhilePresent },
): FindingsStore {
  const threads = readerThreads ?? READER_THREADS;
  const exportsFolder = join(dataFolder, 'exports');
  const exportsKeepFree = reserveBytes(settings);
  const exportsMaxAgeMs = settings.retention.exports_days * DAY_MS;
  const exports = { exportsFolder, exportsKeepFree, exportsMaxAgeMs };
  const store = createFindingsStore({ log, threads, whilePresent, ...exports });
  return enrichingStore(store, enrichment);
}

const openRegistry = ({ configFolder, engines, log, env }: AppOptions, settings: Settings, reloadBell: Bell) =>
  createRegistry({
    file: join(configFolder, SCANNERS_FILE),
    types: { ...ENGINES, ...engines },
    defaults: () => defaultPools({ findNmap: () => findProgram('nmap', env) }),
    defaultPool: settings.default_pool,
    log,
    env,
    probeIntervalMs: settings.probe_interval_seconds * 1000,
    reloadBell,
  });

const useCaseSettings = (settings: Settings, { formats = [] }: AppOptions) => ({
  formats: [...REPORT_FORMATS, ...formats],
  importFolders: settings.import_folders.map((folder) => (typeof folder === 'string' ? { path: folder } : folder)),
  maxReportBytes: settings.max_raw_report_mb * 2 ** 20,
  limits: { activeScans: settings.limits.active_scans, hostsPerDay: settings.limits.hosts_per_day },
});

function launcherOf(options: AppOptions, { queue, seat }: { queue: ScanQueue; seat: WorkerSeat }) {
  const { configFolder, dataFolder, log, env } = options;
  const program = options.workerProgram ?? fileURLToPath(new URL('./cli/main.js', import.meta.url));
  return createWorkerLauncher({
    holder: () => seat.holder(),
    liveCount: () => queue.liveCount(),
    // Not by a signal: one that was killed a moment ago still takes them until it is reaped.
    isRunning: (pid) => identityOf(pid) !== undefined,
    clock: systemClock,
    log,
    async start() {
      const outputFd = openWorkerLog(dataFolder);
      try {
        const argv = [program, 'worker', '--config', configFolder, '--data', dataFolder];
        // The data folder is the one place that stays: a repository an IDE opened may be deleted meanwhile.
        return await startDetached(process.execPath, argv, { env: { ...env }, cwd: dataFolder, outputFd });
      } finally {
        closeSync(outputFd);
      }
    },
  });
}

const MAX_LOG_BYTES = 10 << 20;

/** `logs/worker.log`, started anew (one old one kept) when it has grown large. */
function openWorkerLog(dataFolder: string): number {
  const folder = join(dataFolder, 'logs');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'worker.log');
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

const reserveBytes = (settings: Settings): number => settings.storage_reserve_mb * 2 ** 20;

function storeSettings({ artefacts }: Settings): Pick<ScanFilesSettings, 'sharedFolder' | 'bucket'> {
  const { store, folder, s3, cache_mb: cacheMb } = artefacts;
  if (store === 'directory') return folder === '' ? {} : { sharedFolder: folder };
  return {
    bucket: {
      bucket: s3.bucket,
      prefix: s3.prefix,
      region: s3.region,
      endpoint: s3.endpoint,
      forcePathStyle: s3.force_path_style,
      encryption: s3.server_side_encryption,
      kmsKeyId: s3.kms_key_id,
      cacheBytes: cacheMb * 2 ** 20,
    },
  };
}

const DAY_MS = 86_400_000;

/** 0 in the settings is "for ever". */
const retentionRules = ({ retention }: Settings): RetentionRules => ({
  ...(retention.finished_days === 0 ? {} : { finishedMs: retention.finished_days * DAY_MS }),
  ...(retention.dead_letter_days === 0 ? {} : { deadLetterMs: retention.dead_letter_days * DAY_MS }),
  ...(retention.finished_per_tenant === 0 ? {} : { keepNewest: retention.finished_per_tenant }),
});

/** @param isAlone A data folder has one worker: nobody else's engines run for its queue. */
function aboutThisProcess(clock: Clock, isAlone: boolean): Pick<WorkerDeps, 'workerId' | 'process' | 'isAlone'> {
  const identity = identityText(ownIdentity());
  return {
    // Machines made from one image may tell the same of their boot and processes.
    workerId: isAlone ? identity : `${identity}|${hostname()}-${randomBytes(6).toString('hex')}`,
    process: { version: VERSION, host: hostname(), pid: process.pid, startedAt: clock.now() },
    isAlone,
  };
}

const workerSettings = (settings: Settings): WorkerSettings => ({
  maxConcurrentScans: settings.worker.max_concurrent_scans,
  idleExitMs: settings.worker.idle_exit_seconds * 1000,
  graceMs: settings.worker.shutdown_grace_seconds * 1000,
  hardStopMs: 30_000,
  heartbeatMs: Math.min(5_000, leaseMsOf(settings) / 4),
  maxRawReportBytes: settings.max_raw_report_mb * 2 ** 20,
  minuteMs: 60_000,
  retry: {
    maxAttempts: settings.retry.max_attempts,
    baseMs: settings.retry.base_seconds * 1000,
    capMs: settings.retry.max_seconds * 1000,
  },
});
