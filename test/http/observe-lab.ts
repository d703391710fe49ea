import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Router } from 'express';
import { onTestFinished } from 'vitest';
import type { NewAuditEntry } from '../../src/audit/entry.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { OperatorTenants } from '../../src/config/settings-auth.ts';
import { MetricsSettings } from '../../src/config/settings-observe.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import type { HttpParts } from '../../src/http/http-app.ts';
import { createObserveParts, type ObserveDeps } from '../../src/http/observe/observe-parts.ts';
import type { ScannerPools } from '../../src/http/observe/scanner-pools.ts';
import { ALL_SCOPES } from '../../src/model/caller.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import { requestHash, type ScanRequest } from '../../src/model/scan.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { noTracing } from '../../src/platform/tracing.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { NewScan } from '../../src/queue/queue.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { createCancelScan } from '../../src/scans/cancel.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { WithinQuota } from '../../src/scans/quota.ts';
import { createDeadLetters } from '../../src/scans/dead-letters.ts';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { startHttp } from './start-http.ts';

export const ADMIN = { authorization: 'Bearer admin-key' };
/** An admin of a tenant that does not run the service. */
export const ACME_ADMIN = { authorization: 'Bearer acme-admin-key' };
export const AGENT = { authorization: 'Bearer agent-key' };
const CALLERS = {
  'admin-key': callerNamed('key:admin', { isOperator: true, scopes: ALL_SCOPES }),
  'acme-admin-key': callerNamed('key:acme', { tenant: 'acme', isOperator: true, scopes: ALL_SCOPES }),
  'agent-key': callerNamed('key:agent'),
};

/** Pools whose file can be broken and mended. */
export function fakeScanners(names: readonly string[] = ['web']) {
  const listeners = new Set<() => void>();
  let lastError: string | undefined;
  let pools = names.map((name) => ({ name, instances: [{ instanceId: 'one', enabled: true, limit: 3 }] }));
  const scanners: ScannerPools = {
    pools: () => pools,
    status: () => ({ loadedAt: 1_700_000_000_000, ...(lastError === undefined ? {} : { lastError }) }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    ...scanners,
    fail(error: string | undefined, left = pools): void {
      lastError = error;
      pools = left;
      for (const listener of listeners) listener();
    },
  };
}

export const newScan = (request: Partial<ScanRequest> = {}, more: Partial<NewScan> = {}): NewScan => {
  const full: ScanRequest = {
    access: 'untrusted',
    targets: ['app.example.com'],
    pool: 'web',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
    ...request,
  };
  return {
    scanId: newScanId(),
    tenant: 'local',
    traceId: newTraceId(),
    request: full,
    requestHash: requestHash(full),
    engine: 'baseline',
    ...more,
  };
};

const createEmptyPolicy = (): Policy => ({
  check: () => Promise.reject(new Error('nothing is asked')),
  judgeReported: () => [],
  describe: () => ({ source: 'none', allow: [], deny: [], maxHosts: 0, maxIntensity: 'light' }),
});

/** The routers of this room in the real shell, over a real queue in a folder of its own. */
export async function startObserved(
  settings: Partial<MetricsSettings> = {},
  over: Partial<HttpDeps & Pick<ObserveDeps, 'operatorTenants'>> = {},
  tracing = noTracing,
  parts: Partial<HttpParts> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-observe-'));
  const embedded = await openSqliteQueue({
    folder,
    clock: systemClock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 },
  });
  const { queue, operations } = embedded;
  const audited: NewAuditEntry[] = [];
  const audit = async (entry: NewAuditEntry): Promise<void> => void audited.push(entry);
  const files = createScanFiles(join(folder, 'scans'));
  const findings = createFindingsStore();
  onTestFinished(() => findings.close());
  const useCases = { queue, audit, wakeWorker: () => undefined, files, findings, log: silentLog };
  // Operators have no quotas, and theirs is all that is asked here.
  const withinQuota: WithinQuota = async (_wanted, _ask, body) => body(async () => undefined);
  const limits = { activeScans: 0, hostsPerDay: 0 };
  const policy = createEmptyPolicy();
  const deadLetters = createDeadLetters({ ...useCases, withinQuota, limits, policy });
  const scans = { cancel: createCancelScan(useCases), deadLetters };
  const scanners = fakeScanners();
  const closing = new AbortController();
  const shared = {
    version: '1.2.3',
    queue,
    operations,
    authenticator: authenticatorOf(CALLERS),
    clock: systemClock,
    log: silentLog,
    closing: closing.signal,
    operatorTenants: OperatorTenants.parse(undefined),
    ...over,
  };
  const deps = { ...shared, scanners, dataFolder: folder, scans, tracing, settings: MetricsSettings.parse(settings) };
  const server = await startHttp(shared, { ...createObserveParts(deps), mcp: Router(), ...parts });
  onTestFinished(async () => {
    await server.close();
    closing.abort();
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: server.url, queue, operations, audited, scanners, folder, closing };
}

/** Name, labels in order, value of every sample of a scrape. */
export function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
