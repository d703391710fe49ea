import { collectDefaultMetrics, Registry } from 'prom-client';
import { METRICS, type MetricRow } from './metric-table.ts';

const INTRODUCTION = `# Metrics

\`GET /metrics\` of \`scanmux serve\`, in the text format of Prometheus. [Operations](operations.md#health-and-metrics) says
who may read it and how a Prometheus is set up; dashboard and alert rules are in \`deploy/\`.

Metrics marked *queue* are read from the queue: every server of one queue shows the same numbers, whichever processes did
the work, and they go on after restarts. Take one server, or \`max without (instance, pod)\`; a sum over servers would count
twice. Metrics marked *process* are of the server that answers.`;

/** The text of docs/metrics.md, from the table of metrics and from what the library adds. */
export async function renderMetricDocs(): Promise<string> {
  const rows: [string, MetricRow][] = Object.entries(METRICS);
  return [
    INTRODUCTION,
    '## Metrics of scanmux',
    table(
      ['metric', 'type', 'of', 'labels', 'meaning'],
      rows.map(([name, { type, scope, labels, help }]) => [`\`${name}\``, type, scope, codes(labels), help]),
    ),
    '## Of the Node.js process',
    'From the library prom-client, under the names that dashboards for Node.js expect. All are of the server process.',
    table(
      ['metric', 'type', 'meaning'],
      (await defaultRows()).map(({ name, type, help }) => [`\`${name}\``, type, help]),
    ),
  ].join('\n\n');
}

async function defaultRows() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, type, help }) => ({ name, type: String(type), help }));
}

const codes = (labels: readonly string[]): string => labels.map((label) => `\`${label}\``).join(', ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
