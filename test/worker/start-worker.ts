import { openAuditLog } from '../../src/audit/audit-log.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { createCredentials } from '../../src/credentials/create-credentials.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import { requestHash, type ScanRecord, type ScanRequest } from '../../src/model/scan.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createPolicy } from '../../src/policy/create-policy.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { RawReport, RunContext, ScanJob, ScannerType } from '../../src/scanners/scanner.ts';
import type { WorkerDeps, WorkerSettings } from '../../src/worker/deps.ts';

/** What the engine of a test does in one attempt. */
export type Play = (ctx: RunContext, job: ScanJob) => Promise<RawReport>;

export const TENANT = 'local';
export const WORKER = 'this worker';

const SETTINGS: WorkerSettings = {
  maxConcurrentScans: 4,
  graceMs: 5_000,
  hardStopMs: 5_000,
  heartbeatMs: 1_000,
  maxRawReportBytes: 1 << 20,
  minuteMs: 60_000,
  retry: { maxAttempts: 3, baseMs: 1, capMs: 1 },
};

/** An engine whose report is one line: the place was tested. */
function playedType(play: Play): ScannerType {
  return {
    capabilities: {
      engine: 'played',
      targetKinds: ['host'],
      authenticated: false,
      adoptable: true,
      intensities: ['light', 'standard', 'intrusive'],
      options: [],
      looksFor: [],
    },
    settings: z.strictObject({}),
    create: () => ({
      probe: async () => ({ status: 'healthy', canLaunch: true }),
      run: (job, ctx) => play(ctx, job),
      async *parse(report) {
        let text = '';
        for await (const chunk of report) text += String(chunk);
        if (text.includes('tested')) yield { kind: 'place', place: { place: '127.0.0.1', status: 'tested' } };
        if (text.includes('end')) yield { kind: 'end' };
      },
    }),
  };
}

export const writes = async (ctx: RunContext, text: string): Promise<void> => {
  await new Promise<void>((resolve, reject) => ctx.report.write(text, (error) => (error ? reject(error) : resolve())));
};

/** Ends at once, having tested everything. */
export const testsAll: Play = async (ctx) => {
  await writes(ctx, 'tested end');
  ctx.report.end();
  return { whole: true };
};

/** Goes on until it is told to stop; keeps what it had. */
export const runsUntilStopped: Play = async (ctx) => {
  await writes(ctx, 'tested');
  await new Promise<void>((resolve) => {
    if (ctx.signal.aborted) resolve();
    ctx.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  ctx.report.end();
  throw ctx.signal.reason;
};

export interface Parts {
  readonly deps: WorkerDeps;
  readonly queue: ScanQueue;
  readonly configFolder: string;
  writeScanners(text: string): void;
  writePolicy(text: string): void;
  submit(request?: Partial<ScanRequest>): Promise<string>;
  /** The next claim; fails the test when there is none. */
  claim(): Promise<Claim>;
  record(scanId: string): Promise<ScanRecord>;
  /** Another process' handle on the queue, in whose eyes the processes named here are dead. */
  other(dead: readonly string[]): Promise<ScanQueue>;
}

export const POOL = 'played:\n  - { instance_id: a, name: A, max_concurrent_scans: 4 }\n';

/** The parts of a worker over real files, with one engine that does as the test says. */
export async function startParts(
  play: Play,
  over: Partial<WorkerSettings> = {},
  wrap: Partial<WorkerDeps> | ((queue: ScanQueue) => Partial<WorkerDeps>) = {},
): Promise<Parts> {
  const root = mkdtempSync(join(tmpdir(), 'scanmux-worker-'));
  const open = async (dead: readonly string[] = []): Promise<ScanQueue> => {
    const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
    const isAlive = (owner: string): boolean => !dead.includes(owner);
    const made = await createSqliteQueue({ folder: root, clock: systemClock, settings, isAlive });
    onTestFinished(() => made.close());
    return made;
  };
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const writeScanners = (text: string): void => writeFileSync(join(root, 'scanners.yaml'), text);
  writeScanners(POOL);
  const queue = await open();
  const findings = createFindingsStore();
  onTestFinished(() => findings.close());
  const registry = await createRegistry({
    file: join(root, 'scanners.yaml'),
    types: { played: playedType(play) },
    defaults: () => [],
    defaultPool: 'played',
    log: silentLog,
    env: {},
    probeIntervalMs: 60_000,
  });
  await registry.probeAll(new AbortController().signal);
  const audit = await openAuditLog({ folder: root, clock: systemClock });
  onTestFinished(() => audit.close());
  const deps: WorkerDeps = {
    audit: (entry) => audit.append(entry),
    queue,
    registry,
    policy: createPolicy({ file: join(root, 'policy.yaml'), mode: 'stdio', clock: systemClock }),
    credentials: createCredentials({ file: join(root, 'credentials.yaml'), env: {} }),
    findings,
    files: createScanFiles(join(root, 'scans')),
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    workerId: WORKER,
    process: { version: '0.0.0', host: 'here', pid: process.pid, startedAt: systemClock.now() },
    isAlone: true,
    settings: { ...SETTINGS, ...over },
    ...(typeof wrap === 'function' ? wrap(queue) : wrap),
  };
  return {
    deps,
    queue,
    configFolder: root,
    writeScanners,
    writePolicy: (text) => writeFileSync(join(root, 'policy.yaml'), text, { mode: 0o600 }),
    async submit(more = {}) {
      const request: ScanRequest = {
        access: 'untrusted',
        targets: ['127.0.0.1'],
        pool: 'played',
        intensity: 'standard',
        priority: 5,
        max_duration_minutes: 60,
        ...more,
      };
      const scan = { scanId: newScanId(), traceId: newTraceId(), tenant: TENANT, engine: 'played', request };
      const hash = requestHash({ ...request, project_id: scan.scanId });
      return (await queue.submit({ ...scan, requestHash: hash })).scan.scanId;
    },
    async claim() {
      await queue.heartbeat(WORKER);
      const claim = await queue.claim(WORKER, registry.available());
      if (!claim) throw new Error('nothing to claim');
      return claim;
    },
    async record(scanId) {
      const record = await queue.get(TENANT, scanId);
      if (!record) throw new Error('no such scan');
      return record;
    },
    other: (dead) => open(dead),
  };
}
