import { SEVERITIES } from '../model/finding.ts';
import { DURATION_BOUNDS, type QueueCounters } from './operations.ts';

/** One sum as stores keep it: by what, whose (a pool or an engine), and which part (a state, a severity, a bound). */
export interface Counted {
  readonly name: string;
  readonly label: string;
  readonly part: string;
  readonly n: number;
}

const byText = (a: string, b: string): number => Number(a > b) - Number(a < b);

const FINISHED = ['completed', 'failed', 'timed_out', 'cancelled'] as const;

/**
 * The counters from what a store keeps: `submitted`, `started`, `retried`, `lost` by pool; `finished` by pool and state;
 * `duration` by pool and the smallest bound it fits under, `duration_ms` by pool; `findings` by engine and severity. Names,
 * states and severities that this version does not know are left out.
 */
export function countersFrom(counted: readonly Counted[]): QueueCounters {
  const sorted = counted.toSorted((a, b) => byText(a.label, b.label) || byText(a.part, b.part));
  const of = (name: string) => sorted.filter((one) => one.name === name);
  const byPool = (name: string) => of(name).map(({ label, n }) => ({ pool: label, count: n }));
  return {
    submitted: byPool('submitted'),
    started: byPool('started'),
    retried: byPool('retried'),
    lost: byPool('lost'),
    finished: of('finished').flatMap(({ label, part, n }) => {
      const state = FINISHED.find((known) => known === part);
      return state ? [{ pool: label, state, count: n }] : [];
    }),
    durations: durations(of('duration'), of('duration_ms')),
    findings: of('findings').flatMap(({ label, part, n }) => {
      const severity = SEVERITIES.find((known) => known === part);
      return severity ? [{ engine: label, severity, count: n }] : [];
    }),
  };
}

function durations(buckets: readonly Counted[], sums: readonly Counted[]): QueueCounters['durations'] {
  return [...new Set(buckets.map(({ label }) => label))].map((pool) => {
    const own = buckets.filter(({ label }) => label === pool);
    const upTo = (le: number): number => own.reduce((sum, { part, n }) => sum + (Number(part) <= le ? n : 0), 0);
    return {
      pool,
      buckets: [...DURATION_BOUNDS, Infinity].map((le) => ({ le, count: upTo(le) })),
      sum: (sums.find(({ label }) => label === pool)?.n ?? 0) / 1_000,
      count: upTo(Infinity),
    };
  });
}
