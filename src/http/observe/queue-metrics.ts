import type { QueueCounters, QueueGauges, QueueOperations, SeenWorker } from '../../queue/operations.ts';
import type { InstanceState, ScanQueue } from '../../queue/queue.ts';
import type { Instruments } from './instruments.ts';
import type { ScannerPools } from './scanner-pools.ts';

/** All that a scrape reads from the queue. */
export interface QueueNumbers {
  readonly counters: QueueCounters;
  readonly gauges: QueueGauges;
  readonly workers: readonly SeenWorker[];
  readonly instances: readonly InstanceState[];
}

interface Sources {
  readonly operations: Pick<QueueOperations, 'counters' | 'gauges' | 'workers'>;
  readonly queue: Pick<ScanQueue, 'instanceStates'>;
}

/** @throws AppError queue_unavailable */
export async function readQueueNumbers({ operations, queue }: Sources): Promise<QueueNumbers> {
  const [counters, gauges, workers, instances] = await Promise.all([
    operations.counters(),
    operations.gauges(),
    operations.workers(),
    queue.instanceStates(),
  ]);
  return { counters, gauges, workers, instances };
}

const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const;

/** The metrics that come from the queue. Each showing replaces all of the one before. */
export function createQueueMetrics(made: Instruments) {
  const counters = createCounters(made);
  const depths = createDepths(made);
  const workers = createWorkerGauges(made);
  const instances = createInstanceGauges(made);
  return {
    show(numbers: QueueNumbers, pools: ReturnType<ScannerPools['pools']>): void {
      counters(numbers.counters);
      depths(
        numbers.gauges,
        pools.map(({ name }) => name),
      );
      workers(numbers.workers);
      instances(numbers, pools);
    },
    /** Nothing is better than numbers of yesterday. */
    forget(): void {
      counters(undefined);
      depths(undefined, []);
      workers(undefined);
      instances(undefined, []);
    },
  };
}

function createCounters(made: Instruments) {
  const submitted = made.counter('scanmux_scans_submitted_total');
  const starts = made.counter('scanmux_scan_starts_total');
  const finished = made.counter('scanmux_scans_finished_total');
  const retries = made.counter('scanmux_scan_retries_total');
  const lost = made.counter('scanmux_leases_lost_total');
  const findings = made.counter('scanmux_findings_total');
  const durations = made.durableHistogram('scanmux_scan_duration_seconds');
  const all = [submitted, starts, finished, retries, lost, findings];
  return (now: QueueCounters | undefined): void => {
    for (const counter of all) counter.reset();
    durations.show(
      (now?.durations ?? []).map(({ pool, buckets, sum, count }) => ({ labels: { pool }, buckets, sum, count })),
    );
    if (!now) return;
    for (const { pool, count } of now.submitted) submitted.inc({ pool }, count);
    for (const { pool, count } of now.started) starts.inc({ pool }, count);
    for (const { pool, state, count } of now.finished) finished.inc({ pool, state }, count);
    for (const { pool, count } of now.retried) retries.inc({ pool }, count);
    for (const { pool, count } of now.lost) lost.inc({ pool }, count);
    for (const { engine, severity, count } of now.findings) findings.inc({ engine, severity }, count);
  };
}

function createDepths(made: Instruments) {
  const scans = made.gauge('scanmux_queue_scans');
  const oldest = made.gauge('scanmux_queue_oldest_age_seconds');
  const dead = made.gauge('scanmux_dead_letters');
  return (now: QueueGauges | undefined, configured: readonly string[]): void => {
    for (const gauge of [scans, oldest, dead]) gauge.reset();
    if (!now) return;
    // A pool without any scan is at zero, not unknown: alerts compare with it.
    const empty = { queued: 0, retrying: 0, running: 0, deadLetters: 0, oldestQueuedMs: 0 };
    const rows = new Map(configured.map((pool) => [pool, { pool, ...empty }]));
    for (const row of now.pools) rows.set(row.pool, { ...empty, ...row });
    for (const { pool, queued, retrying, running, deadLetters, oldestQueuedMs } of rows.values()) {
      scans.set({ pool, state: 'queued' }, queued);
      scans.set({ pool, state: 'retrying' }, retrying);
      scans.set({ pool, state: 'running' }, running);
      oldest.set({ pool }, oldestQueuedMs / 1000);
      dead.set({ pool }, deadLetters);
    }
  };
}

function createWorkerGauges(made: Instruments) {
  const workers = made.gauge('scanmux_workers');
  const slots = made.gauge('scanmux_worker_slots');
  return (now: readonly SeenWorker[] | undefined): void => {
    workers.reset();
    // Without labels, a reset would say zero.
    slots.remove();
    if (!now) return;
    const active = now.filter(({ draining }) => !draining);
    workers.set({ state: 'active' }, active.length);
    workers.set({ state: 'draining' }, now.length - active.length);
    slots.set(active.reduce((sum, { concurrency }) => sum + concurrency, 0));
  };
}

function createInstanceGauges(made: Instruments) {
  const active = made.gauge('scanmux_instance_active_scans');
  const slots = made.gauge('scanmux_instance_slots');
  const published = createPublishedGauges(made);
  return (now: QueueNumbers | undefined, pools: ReturnType<ScannerPools['pools']>): void => {
    for (const gauge of [active, slots]) gauge.reset();
    for (const { name: pool, instances } of pools) {
      for (const { instanceId: instance, enabled, limit } of instances) {
        if (!enabled) continue;
        slots.set({ pool, scanner_instance: instance }, limit);
        if (now) active.set({ pool, scanner_instance: instance }, 0);
      }
    }
    for (const { pool, instance, count } of now?.gauges.active ?? [])
      active.set({ pool, scanner_instance: instance }, count);
    published(now?.instances ?? []);
  };
}

/** What workers say of the instances. */
function createPublishedGauges(made: Instruments) {
  const healthy = made.gauge('scanmux_instance_healthy');
  const circuit = made.gauge('scanmux_instance_circuit');
  const checked = made.gauge('scanmux_instance_checked_timestamp_seconds');
  return (instances: readonly InstanceState[]): void => {
    for (const gauge of [healthy, circuit, checked]) gauge.reset();
    for (const { pool, instance, health, checkedAt } of instances) {
      const now = health.circuit ?? 'closed';
      healthy.set({ pool, scanner_instance: instance }, health.status === 'unhealthy' ? 0 : 1);
      checked.set({ pool, scanner_instance: instance }, checkedAt / 1000);
      for (const state of CIRCUIT_STATES)
        circuit.set({ pool, scanner_instance: instance, state }, now === state ? 1 : 0);
    }
  };
}
