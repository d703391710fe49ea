/** One way to do the work that is compared. `once` is one unit of it. */
export interface Side {
  readonly name: string;
  once(): Promise<void>;
  /** What is done after each round and not measured. */
  rest?(): Promise<void>;
}

export interface Comparison {
  readonly name: string;
  /** The least the work can cost: the same thing without us. */
  readonly floor: Side;
  readonly subject: Side;
  /** Pairs of rounds; floor and subject take turns at going first. */
  readonly rounds: number;
  /** Units per round. */
  readonly perRound: number;
  /** Units in flight at a time. Default 1. */
  readonly concurrency?: number;
  /** Units of each side before anything is measured. Default `perRound`. */
  readonly warmUp?: number;
  /** Monotonic milliseconds; a parameter so that tests are exact. */
  readonly clock?: () => number;
}

/** Latencies in milliseconds, throughput in units per second. */
export interface SideResult {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export interface ComparisonResult {
  readonly name: string;
  readonly floor: SideResult;
  readonly subject: SideResult;
  /** Subject by floor, each the median over the rounds, so that one slow round of the machine does not decide. */
  readonly ratio: { readonly p50: number; readonly p99: number; readonly perSecond: number };
}

interface Round {
  readonly latencies: readonly number[];
  readonly elapsedMs: number;
}

/** Value below which the share `share` (0 to 1) of the sorted values lies; nearest rank. NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

const median = (values: readonly number[]): number => percentile(values, 0.5);

async function runRound(side: Side, comparison: Comparison, units: number): Promise<Round> {
  const clock = comparison.clock ?? (() => performance.now());
  const latencies: number[] = [];
  let left = units;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedAt = clock();
      await side.once();
      latencies.push(clock() - startedAt);
    }
  };
  const startedAt = clock();
  await Promise.all(Array.from({ length: comparison.concurrency ?? 1 }, lane));
  const elapsedMs = clock() - startedAt;
  await side.rest?.();
  return { latencies, elapsedMs };
}

const roundP50 = ({ latencies }: Round): number => median(latencies);
const roundP99 = ({ latencies }: Round): number => percentile(latencies, 0.99);
const roundRate = ({ latencies, elapsedMs }: Round): number => (latencies.length * 1_000) / elapsedMs;

function summary(name: string, rounds: readonly Round[]): SideResult {
  const all = rounds.flatMap(({ latencies }) => latencies);
  return { name, p50: median(all), p99: percentile(all, 0.99), perSecond: median(rounds.map(roundRate)) };
}

/** Runs both sides in turns, in one process and one run, and compares them. */
export async function compare(comparison: Comparison): Promise<ComparisonResult> {
  const { name, floor, subject, rounds, perRound } = comparison;
  const warmUp = comparison.warmUp ?? perRound;
  for (const side of [floor, subject]) await runRound(side, comparison, warmUp);
  const floorRounds: Round[] = [];
  const subjectRounds: Round[] = [];
  for (let index = 0; index < rounds; index += 1) {
    const measureFloor = async (): Promise<void> => void floorRounds.push(await runRound(floor, comparison, perRound));
    const isFloorFirst = index % 2 === 0;
    if (isFloorFirst) await measureFloor();
    subjectRounds.push(await runRound(subject, comparison, perRound));
    if (!isFloorFirst) await measureFloor();
  }
  const ratio = (of: (round: Round) => number): number =>
    median(subjectRounds.map((round, index) => of(round) / of(floorRounds[index] ?? round)));
  return {
    name,
    floor: summary(floor.name, floorRounds),
    subject: summary(subject.name, subjectRounds),
    ratio: { p50: ratio(roundP50), p99: ratio(roundP99), perSecond: ratio(roundRate) },
  };
}
