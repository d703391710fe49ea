import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { METRICS, type MetricRow } from '../../src/http/observe/metric-table.ts';

const ALERTS = 'deploy/prometheus/scanmux-alerts.yaml';

const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.looseObject({ alert: z.string(), expr: z.string() })) })),
});
const Dashboard = z.looseObject({
  panels: z.array(
    z.looseObject({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string() })) }),
});

const Adapter = z.object({
  rules: z.object({ external: z.array(z.looseObject({ metricsQuery: z.string(), seriesQuery: z.string() })) }),
});

const rows = new Map<string, MetricRow>(Object.entries(METRICS));
const alerts = Rules.parse(parse(readFileSync(ALERTS, 'utf8'))).groups.flatMap(({ rules }) => rules);
const dashboard = Dashboard.parse(JSON.parse(readFileSync('deploy/grafana/scanmux.json', 'utf8')));
const adapter = Adapter.parse(parse(readFileSync('deploy/kubernetes/prometheus-adapter.yaml', 'utf8')));
const queries: [string, string][] = [
  ...alerts.map(({ alert, expr }): [string, string] => [alert, expr]),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...adapter.rules.external.map(({ metricsQuery }): [string, string] => ['adapter', metricsQuery]),
];

const namesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:scanmux|nodejs|process)_[a-z0-9_]+/g)]
    .map(([name]) => name)
    .filter((name) => name !== 'scanmux_queue_load');

/** Metrics by the names their samples have. */
function sampleNames(): Set<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const parts = (name: string, { type }: MetricRow): string[] =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
  return new Set([
    ...[...rows].flatMap(([name, row]) => parts(name, row)),
    ...registry.getMetricsAsArray().map(({ name }) => name),
  ]);
}

describe('alerts, dashboard and autoscaler', () => {
  const known = sampleNames();

  it.each(queries)('%s asks only for metrics there are: %s', (_title, expr) => {
    const names = namesIn(expr);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    expect(names.length > 0 || expr.startsWith('up{')).toBe(true);
  });

  it.each(queries)('%s selects by labels the metric has: %s', (_title, expr) => {
    for (const [, name, selector = ''] of expr.matchAll(/\b(scanmux_[a-z0-9_]+)\{([^}]*)\}/g)) {
      const row = rows.get((name ?? '').replace(/_(?:bucket|sum|count)$/, ''));
      const labels = [...selector.matchAll(/([a-z_]+)(?:=~|!~|!=|=)/g)].map(([, label]) => label);
      for (const label of labels) expect([...(row?.labels ?? []), 'job', 'instance', 'namespace']).toContain(label);
    }
  });

  it.each(queries)('%s takes numbers of the queue once, however many servers show them: %s', (_title, expr) => {
    const isOfQueue = namesIn(expr).some((name) => rows.get(name.replace(/_bucket$/, ''))?.scope === 'queue');
    if (isOfQueue) expect(expr).toMatch(/max (?:without \(instance, pod\)|by \(namespace, pool, state\))/);
  });
});

describe('the dashboard', () => {
  it('has panels with ids of their own that lie beside each other, and variables for what they ask', () => {
    const { panels, templating } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    const variables = new Set(templating.list.map(({ name }) => name));
    const used = [...JSON.stringify(panels).matchAll(/\$\{?([a-z]+)\}?/g)].map(([, name]) => name);
    expect(used.filter((name) => name !== undefined && !variables.has(name))).toEqual([]);
  });
});

describe('promtool', () => {
  const promtool = (...argv: string[]): string => execFileSync('promtool', argv, { encoding: 'utf8', stdio: 'pipe' });

  it('accepts the rules and the example of a scrape', () => {
    expect(promtool('check', 'rules', ALERTS)).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(promtool('check', 'config', '--syntax-only', 'deploy/prometheus/scrape.yaml')).toContain('SUCCESS');
  });

  it('finds that the rules fire when they should and not when they should not', () => {
    expect(promtool('test', 'rules', 'test/deploy/alerts-test.yaml')).toContain('SUCCESS');
  });
});
