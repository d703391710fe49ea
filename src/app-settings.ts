import type { Settings } from './config/settings.ts';
import { DAY_MS } from './config/settings-retention.ts';
import type { ScanFilesSettings } from './findings/open-scan-files.ts';
import { leaseMsOf } from './open-queue.ts';
import type { WorkerSettings } from './worker/deps.ts';

export const reserveBytes = (settings: Settings): number => settings.storage_reserve_mb * 2 ** 20;

export function storeSettings(settings: Settings): Omit<ScanFilesSettings, 'dataFolder'> {
  const { store, folder, s3, cache_mb: cacheMb } = settings.artefacts;
  const reserve = { reserveBytes: reserveBytes(settings) };
  if (store === 'directory') return folder === '' ? reserve : { ...reserve, sharedFolder: folder };
  return {
    ...reserve,
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

export const exportsAgeMs = ({ retention }: Settings): number => retention.exports_days * DAY_MS;

export const workerSettings = (settings: Settings): WorkerSettings => ({
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

export const useCaseSettings = (settings: Settings) => ({
  importFolders: settings.import_folders.map((folder) => (typeof folder === 'string' ? { path: folder } : folder)),
  maxReportBytes: settings.max_raw_report_mb * 2 ** 20,
  operatorTenants: settings.operator_tenants,
  limits: { activeScans: settings.limits.active_scans, hostsPerDay: settings.limits.hosts_per_day },
});
