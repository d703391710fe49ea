import { DURATION_BOUNDS } from '../../queue/operations.ts';

/**
 * `queue`: read from the queue, so every server answers the same, whichever processes did the work. `process`: of the
 * server that answers; to be summed or shown by `instance`.
 */
export type MetricScope = 'queue' | 'process';

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly scope: MetricScope;
  readonly labels: readonly string[];
  /** One sentence, without the scope: that is added where it is shown. */
  readonly help: string;
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** Every metric of our own. Names, labels and units are public: dashboards and alerts stand on them. */
export const METRICS = {
  scanmux_build_info: {
    type: 'gauge',
    scope: 'process',
    labels: ['version'],
    help: 'Always 1; the label says which version answers.',
  },
  scanmux_queue_up: {
    type: 'gauge',
    scope: 'process',
    labels: [],
    help: '1 when the queue answered this scrape. At 0 all metrics that come from the queue are missing.',
  },
  scanmux_scans_submitted_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['pool'],
    help: 'Accepted scans, without repeats of one that was there.',
  },
  scanmux_scan_starts_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['pool'],
    help: 'Attempts that a worker began: first runs, retries, and scans taken over from a worker that was lost.',
  },
  scanmux_scans_finished_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['pool', 'state'],
    help: 'Scans that ended, by their final state: completed, failed, timed_out, cancelled.',
  },
  scanmux_scan_retries_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['pool'],
    help: 'Attempts that ended in an error which may pass, so that the scan was put back to be tried again.',
  },
  scanmux_leases_lost_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['pool'],
    help: 'Attempts whose worker died or froze.',
  },
  scanmux_scan_duration_seconds: {
    type: 'histogram',
    scope: 'queue',
    labels: ['pool'],
    help: 'Time from the first start of a scan to its end, of scans that ran.',
    buckets: DURATION_BOUNDS,
  },
  scanmux_findings_total: {
    type: 'counter',
    scope: 'queue',
    labels: ['engine', 'severity'],
    help: 'Findings of scans that ended, by engine and severity.',
  },
  scanmux_queue_scans: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool', 'state'],
    help: 'Scans that are queued, retrying or running now. The depth of the queue is queued and retrying together.',
  },
  scanmux_queue_oldest_age_seconds: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool'],
    help: 'How long the oldest queued scan waits by now; 0 when none waits.',
  },
  scanmux_dead_letters: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool'],
    help: 'Scans that failed or timed out for good, and were neither retried nor removed.',
  },
  scanmux_workers: {
    type: 'gauge',
    scope: 'queue',
    labels: ['state'],
    help: 'Live worker processes: active, or draining because they were asked to go.',
  },
  scanmux_worker_slots: {
    type: 'gauge',
    scope: 'queue',
    labels: [],
    help: 'Scans that all active workers together run at once.',
  },
  scanmux_instance_active_scans: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool', 'scanner_instance'],
    help: 'Scans that run on a scanner instance now, over all workers.',
  },
  scanmux_instance_slots: {
    type: 'gauge',
    scope: 'process',
    labels: ['pool', 'scanner_instance'],
    help: 'Scans an enabled instance may run at once, as the scanners.yaml in force here says.',
  },
  scanmux_instance_healthy: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool', 'scanner_instance'],
    help: '1 when a worker last found the instance healthy or degraded, 0 when it could not be used.',
  },
  scanmux_instance_circuit: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool', 'scanner_instance', 'state'],
    help: '1 for the state the circuit breaker is in: closed, open (no scans) or half_open (one trial), 0 for the others.',
  },
  scanmux_instance_checked_timestamp_seconds: {
    type: 'gauge',
    scope: 'queue',
    labels: ['pool', 'scanner_instance'],
    help: 'When a worker last published what it knows of the instance. Unix time.',
  },
  scanmux_scanners_config_valid: {
    type: 'gauge',
    scope: 'process',
    labels: [],
    help: '1 when the newest scanners.yaml is in force, 0 when it was refused and the one before stays.',
  },
  scanmux_scanners_config_errors_total: {
    type: 'counter',
    scope: 'process',
    labels: [],
    help: 'Loads of scanners.yaml that were refused.',
  },
  scanmux_scanners_config_loaded_timestamp_seconds: {
    type: 'gauge',
    scope: 'process',
    labels: [],
    help: 'When scanners.yaml was last taken into force. Unix time.',
  },
  scanmux_http_requests_total: {
    type: 'counter',
    scope: 'process',
    labels: ['method', 'route', 'status'],
    help: 'Answered HTTP requests. `route` is the pattern of the route; paths that match none are counted as other.',
  },
  scanmux_http_request_duration_seconds: {
    type: 'histogram',
    scope: 'process',
    labels: ['method', 'route'],
    help: 'Time from the head of a request to the end of its answer. Event streams are left out: they live for long.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
  },
  scanmux_http_open_requests: {
    type: 'gauge',
    scope: 'process',
    labels: [],
    help: 'Requests whose answer has not ended, open event streams among them.',
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;

const SCOPES: Readonly<Record<MetricScope, string>> = {
  queue: 'The same from every server.',
  process: 'Of this server process.',
};

/** The sentence that is scraped and documented. */
export const helpOf = ({ help, scope }: MetricRow): string => `${help} ${SCOPES[scope]}`;
