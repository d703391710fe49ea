import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportsAgeMs, reserveBytes, storeSettings, useCaseSettings, workerSettings } from './app-settings.ts';
import { openAuditLog, type AuditLog } from './audit/audit-log.ts';
import type { Environment } from './config/environment.ts';
import { CREDENTIALS_FILE } from './config/credentials-schema.ts';
import { findProgram } from './config/find-program.ts';
import { prepareDataFolder } from './config/folders.ts';
import { SCANNERS_FILE } from './config/scanners-schema.ts';
import { retentionRules } from './config/settings-retention.ts';
import { loadSettings, type Settings } from './config/settings.ts';
import { CATALOGUES, ENGINES, REPORT_FORMATS } from './engines.ts';
import { createCredentials } from './credentials/create-credentials.ts';
import type { CredentialsInspection } from './credentials/credentials.ts';
import { inspectCredentials } from './credentials/inspect.ts';
import type { Enrichment } from './findings/enrichment/enrichment.ts';
import { enrichingStore, openEnrichment } from './findings/enrichment/open-enrichment.ts';
import type { FindingsStore } from './findings/findings.ts';
import type { WhilePresent } from './findings/artefacts.ts';
import { openOwnFiles, type OwnFiles } from './findings/own-files.ts';
import { createFindingsStore } from './findings/findings-store.ts';
import { createBell, type Bell } from './platform/bell.ts';
import type { OpenedQueue } from './open-queue.ts';
import { openTraced } from './open-tracing.ts';
import { systemClock, type Clock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import { identityOf } from './platform/process-identity.ts';
import { openWorkerLog } from './platform/worker-log.ts';
import type { Tracing } from './platform/tracing.ts';
import { startDetached } from './platform/subprocess.ts';
import { createPolicy } from './policy/create-policy.ts';
import type { Policy } from './policy/policy.ts';
import type { WorkerSeat } from './queue/sqlite/worker-seat.ts';
import type { QueueOperations } from './queue/operations.ts';
import type { ApiKeys } from './queue/api-keys.ts';
import type { ScanQueue } from './queue/queue.ts';
import { queueIdOf, type ServerSecrets } from './queue/server-secrets.ts';
import { createRegistry } from './registry/create-registry.ts';
import { defaultPools } from './registry/pool-config.ts';
import type { Registry } from './registry/registry.ts';
import type { ReportFormat } from './scanners/report-format.ts';
import type { ScannerType } from './scanners/scanner.ts';
import { VERSION } from './cli/version.ts';
import { createIndexScans } from './scans/index-scans.ts';
import { createUseCases, type UseCases } from './scans/use-cases.ts';
import type { WorkerDeps, WorkerSettings } from './worker/deps.ts';
import { createHousekeeper } from './worker/housekeeper.ts';
import { createWorkerLauncher } from './worker/launch.ts';
import { occupySeat } from './worker/occupy-seat.ts';
import { thisProcess } from './worker/this-process.ts';
import { withOptions, type WorkerOptions } from './worker/options.ts';

/** Two, so that a question about findings need not wait for another that takes long. Started when first needed. */
const READER_THREADS = 2;

export { checkQueueSettings } from './open-queue.ts';

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
  readonly dataFolder: string;
  readonly scans: UseCases;
  readonly registry: Registry;
  readonly policy: Policy;
  readonly inspectCredentials: () => Promise<CredentialsInspection>;
  readonly queue: ScanQueue;
  readonly operations: QueueOperations;
  readonly keys: ApiKeys;
  /** Spans of what is done here; nothing where no receiver is named. */
  readonly tracing: Tracing;
  readonly secrets: ServerSecrets;
  readonly audit: AuditLog;
  readonly enrichment: Enrichment;
  readonly files: OwnFiles;
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
  const { configFolder, dataFolder, log, env } = options;
  const settings = settingsOf(options);
  prepareDataFolder(dataFolder);
  const opened = await openTraced(env, { settings, dataFolder, clock: options.clock ?? systemClock, log });
  const { queue, operations, tracing, seat, redis, clock, keys: _keys, secrets: _secrets, ...lists } = opened;
  const audit = await openAuditLog({ folder: dataFolder, clock });
  const reloadBell = createBell(dataFolder, 'reload');
  const policy = createPolicy({ file: join(configFolder, POLICY_FILE), mode: options.mode, clock });
  const credentials = createCredentials({ file: join(configFolder, CREDENTIALS_FILE), env });
  const registry = await openRegistry(options, settings, reloadBell);
  const over = new AbortController();
  registry.watch(over.signal);
  const enrichment = openEnrichment({ dataFolder, log });
  const files = await openOwnFiles({ dataFolder, ...storeSettings(settings) }, queueIdOf(opened.secrets), log);
  const findings = openFindings(options, settings, { enrichment, whilePresent: files.whilePresent });
  const launcher = options.spawnWorker && !redis ? launcherOf(options, { queue, seat }) : undefined;
  const note: WorkerDeps['audit'] = (entry) => audit.append(entry);
  const shared = { queue, operations, registry, policy, credentials, findings, files, clock, log, audit: note };
  const indexScans = createIndexScans({ findings, files, log, index: lists.index });
  const scans = createUseCases({
    ...shared,
    ...useCaseSettings(settings),
    formats: [...REPORT_FORMATS, ...(options.formats ?? [])],
    ...lists,
    indexScans,
    catalogues: CATALOGUES,
    ...wakingBy(launcher),
  });
  const self = thisProcess(clock, VERSION, redis === undefined);
  const keeper = { holder: self.workerId, rules: retentionRules(settings.retention), sweeps: !options.spawnWorker };
  const house = createHousekeeper({ ...shared, ...keeper });
  const workerDeps: WorkerDeps = {
    ...shared,
    ...self,
    indexScans,
    keepHouse: house.round,
    tracing,
    ...workerBasis(settings, options),
  };
  return {
    settings,
    scans,
    registry,
    policy,
    inspectCredentials: () => inspectCredentials(join(configFolder, CREDENTIALS_FILE), env),
    ...opened,
    dataFolder,
    audit,
    enrichment,
    files,
    reloadBell,
    runWorker: (signal, wanted) => occupySeat(withOptions(workerDeps, wanted), seat, signal),
    async close() {
      over.abort();
      await Promise.all([registry.close(), launcher?.close(), house.close()]);
      await closeAll([findings, enrichment, reloadBell, audit, queue, tracing]);
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
  const exportsMaxAgeMs = exportsAgeMs(settings);
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

const wakingBy = (launcher: ReturnType<typeof launcherOf> | undefined) => ({
  wakeWorker: () => launcher?.wake(),
  startsWorkers: launcher !== undefined,
});

const workerBasis = (settings: Settings, { workerSettings: over }: AppOptions) => ({
  random: Math.random,
  settings: { ...workerSettings(settings), ...over },
});
