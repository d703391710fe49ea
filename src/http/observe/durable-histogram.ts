import { Histogram } from 'prom-client';

/** One series of a histogram as it is kept in the queue. */
export interface DurableSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Cumulative; the last has the bound Infinity. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

interface Sample {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/** A histogram whose buckets were counted elsewhere. The library's own can only be observed into. */
export class DurableHistogram extends Histogram {
  readonly #name: string;
  /** Knows what the library says of a histogram without samples. */
  readonly #empty: Histogram;
  #series: readonly DurableSeries[] = [];

  constructor(configuration: { name: string; help: string; labelNames: string[]; buckets: number[] }) {
    super({ ...configuration, registers: [] });
    this.#name = configuration.name;
    this.#empty = new Histogram({ ...configuration, registers: [] });
  }

  show(series: readonly DurableSeries[]): void {
    this.#series = series;
  }

  override async get() {
    return { ...(await this.#empty.get()), values: this.#series.flatMap((series) => samplesOf(this.#name, series)) };
  }

  /** What the registry prefers to `get` where a metric has it. */
  getForPromString() {
    return this.get();
  }
}

function samplesOf(name: string, { labels, buckets, sum, count }: DurableSeries): Sample[] {
  const bound = (le: number): string | number => (Number.isFinite(le) ? le : '+Inf');
  return [
    ...buckets.map(({ le, count: below }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound(le) },
      value: below,
    })),
    { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
    { metricName: `${name}_count`, labels: { ...labels }, value: count },
  ];
}
