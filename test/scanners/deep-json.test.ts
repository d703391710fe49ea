import { describe, expect, it } from 'vitest';
import { baselineFormat } from '../../src/scanners/baseline/format.ts';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nativeFormat } from '../../src/scanners/native/format.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';
import { inPieces, read } from './report-events.ts';

const HEADER = {
  scanmux: 'findings',
  version: 1,
  engine: 'nmap',
  scan: {
    scan_id: 'scan_1',
    origin: 'imported',
    state: 'completed',
    verdict: 'complete',
    access: 'untrusted',
    targets: ['127.0.0.1'],
    created_at: '2026-01-02T03:04:05.000Z',
  },
  coverage: { requested: 1, tested: 1, partial: 0, unreachable: 0, not_tested: 0, looked_for: [], not_looked_for: [] },
  whole: true,
  filtered: [],
};
const FINDING = {
  rule_id: 'a',
  title: 'a',
  severity: 'low',
  severity_source: 'engine',
  location: { ip: '127.0.0.1' },
  references: ['a'],
  untrusted: { output: 'a' },
  engine: 'nmap',
  injection_signals: [],
};
const NUCLEI = {
  'template-id': 'a',
  'matched-at': '127.0.0.1:80',
  type: 'http',
  info: { name: 'a', tags: ['a'], classification: { 'cve-id': ['CVE-2020-1234'] }, metadata: {} },
  'extracted-results': ['a'],
  interaction: { protocol: 'dns' },
  meta: {},
};
const SARIF = {
  version: '2.1.0',
  runs: [
    {
      invocations: [{ ruleConfigurationOverrides: [{ descriptor: { id: 'a' }, configuration: { level: 'note' } }] }],
      artifacts: [{ location: { uri: 'a' } }],
      properties: { scanmux: {} },
      results: [
        {
          ruleId: 'a',
          message: { text: 'a', arguments: ['a'] },
          locations: [{ physicalLocation: { artifactLocation: { uri: 'a' } } }],
          suppressions: [{ kind: 'external' }],
          partialFingerprints: { a: 'a' },
          properties: { tags: ['a'] },
        },
      ],
      tool: { driver: { name: 'a', rules: [{ id: 'a', messageStrings: { a: {} }, properties: { tags: ['a'] } }] } },
    },
  ],
};
const TRIVY = {
  SchemaVersion: 2,
  ArtifactName: 'a',
  ArtifactType: 'filesystem',
  Results: [
    {
      Vulnerabilities: [{ VulnerabilityID: 'CVE-2020-1234', CVSS: { nvd: { V3Score: 5 } }, References: ['a'] }],
      Misconfigurations: [{ ID: 'a', CauseMetadata: { Code: { Lines: [{ Content: 'a' }] } } }],
      Target: 'a',
    },
  ],
};
const GRYPE = {
  matches: [
    {
      vulnerability: { id: 'CVE-2020-1234', severity: 'Low', cvss: [{ metrics: { baseScore: 5 } }], fix: {} },
      relatedVulnerabilities: [{ id: 'CVE-2020-1235' }],
      artifact: { name: 'a', locations: [{ path: 'a' }] },
    },
  ],
  source: { type: 'image', target: {} },
  descriptor: { name: 'grype', configuration: {} },
};
const ZAP = {
  '@version': '2.15.0',
  site: [{ '@name': 'http://127.0.0.1', alerts: [{ alert: 'a', instances: [{ uri: 'http://127.0.0.1/' }] }] }],
};
const BASELINE = [
  { scanmux_baseline: 2, intensity: 'light', started_at: '2026-01-02T03:04:05.000Z' },
  { kind: 'place', place: { place: '127.0.0.1', status: 'tested' } },
  { kind: 'checks', looked_for: ['http'], not_looked_for: [] },
];

const REPORTS: readonly (readonly [string, ReportFormat, readonly unknown[]])[] = [
  [
    'scanmux findings',
    nativeFormat,
    [HEADER, FINDING, { place: { place: 'a', status: 'tested' } }, { end: true, findings: 1 }],
  ],
  ['Nuclei lines', nucleiFormat, [NUCLEI]],
  ['a Nuclei list', nucleiFormat, [[NUCLEI]]],
  ['SARIF', sarifFormat, [SARIF]],
  ['Trivy', trivyFormat, [TRIVY]],
  ['Grype', grypeFormat, [GRYPE]],
  ['ZAP', zapJsonFormat, [ZAP]],
  ['the built-in scanner', baselineFormat, BASELINE],
];

const MARK = '"\\u0000"';
/** The first is within the limit of `readJson`. */
const DEPTHS = [200, 100_000];

/** The value with each of its parts in turn put in the place of a mark. */
function* marked(value: unknown): Generator<unknown> {
  yield '\0';
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) for (const part of marked(one)) yield value.with(at, part);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) for (const part of marked(one)) yield { ...value, [key]: part };
    yield { ...value, unheard_of: '\0' };
  }
}

const textsWith = (lines: readonly unknown[], deep: string): string[] =>
  lines.flatMap((line, at) =>
    [...marked(line)].map((one) =>
      lines
        .with(at, one)
        .map((value) => `${JSON.stringify(value).replace(MARK, deep)}\n`)
        .join(''),
    ),
  );

describe('values nested without end', () => {
  it.each(REPORTS)(
    'anywhere in a report of %s are passed over or refused with their place',
    async (_, format, lines) => {
      let refused = 0;
      for (const depth of DEPTHS) {
        for (const deep of ['['.repeat(depth) + ']'.repeat(depth), '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)]) {
          for (const text of textsWith(lines, deep)) {
            const { error } = await read(format, inPieces(text));
            if (error) expect(error.message).toMatch(/(byte|line) \d+|is something else/);
            if (error) refused += 1;
          }
        }
      }
      expect(refused).toBeGreaterThan(0);
    },
  );
});
