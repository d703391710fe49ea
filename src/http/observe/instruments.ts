import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DurableHistogram } from './durable-histogram.ts';
import { helpOf, METRICS, type MetricName, type MetricRow } from './metric-table.ts';

type Of<T extends MetricRow['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends T ? Name : never;
}[MetricName];

const settingsOf = (name: MetricName) => {
  const row: MetricRow = METRICS[name];
  return { name, help: helpOf(row), labelNames: [...row.labels], buckets: [...(row.buckets ?? [])], registers: [] };
};

/** Makes the metrics of the table, each in `registry`, so that none can have another name, label or sentence. */
export function createInstruments(registry: Registry) {
  return {
    counter(name: Of<'counter'>): Counter {
      const { buckets: _, ...settings } = settingsOf(name);
      const made = new Counter(settings);
      registry.registerMetric(made);
      return made;
    },
    gauge(name: Of<'gauge'>): Gauge {
      const { buckets: _, ...settings } = settingsOf(name);
      const made = new Gauge(settings);
      registry.registerMetric(made);
      return made;
    },
    histogram(name: Of<'histogram'>): Histogram {
      const made = new Histogram(settingsOf(name));
      registry.registerMetric(made);
      return made;
    },
    durableHistogram(name: Of<'histogram'>): DurableHistogram {
      const made = new DurableHistogram(settingsOf(name));
      registry.registerMetric(made);
      return made;
    },
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
