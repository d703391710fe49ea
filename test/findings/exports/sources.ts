import fc from 'fast-check';
import type { ExportedFinding, ExportHeader, ExportSource } from '../../../src/findings/exports/source.ts';
import { fingerprint, noSeverities, Occurrence, ParsedFinding, RuleFacts } from '../../../src/model/finding.ts';
import type { ParsedFindingInput } from '../../../src/model/finding.ts';
import { cleanLine } from '../../../src/model/untrusted.ts';
import type { Place } from '../../../src/model/coverage.ts';
import { anyFinding, SCAN_ID } from '../reports.ts';

export const HEADER: ExportHeader = {
  scan: {
    scan_id: SCAN_ID,
    name: 'Office network',
    origin: 'run',
    state: 'completed',
    verdict: 'partial',
    access: 'untrusted',
    targets: ['10.0.0.0/30'],
    created_at: '2026-11-20T10:00:00.000Z',
    started_at: '2026-11-20T10:00:01.000Z',
    finished_at: '2026-11-20T10:05:00.000Z',
  },
  engine: 'baseline',
  coverage: {
    requested: 3,
    tested: 1,
    partial: 0,
    unreachable: 1,
    not_tested: 1,
    looked_for: ['http', 'tls'],
    not_looked_for: ['smb: no port was open'],
  },
  whole: true,
  source: { tool: 'scanmux baseline', version: '1.0' },
  filtered: [],
  summary: 'The picture is partial: 1 of 3 places was fully looked at.',
};

export const PLACES: readonly Place[] = [
  { place: '10.0.0.1', status: 'tested' },
  { place: '10.0.0.2', status: 'unreachable', reason: 'no port answered' },
  { place: '10.0.0.3', status: 'not_tested' },
];

type Given = ParsedFindingInput & { readonly suppression?: ExportedFinding['suppression'] };

/** A finding that says only what a test is about. */
export const finding = (over: Partial<Given> = {}): Given => ({
  rule_id: 'rule-1',
  title: 'A weakness',
  severity: 'high',
  severity_source: 'rule',
  location: { ip: '10.0.0.1', port: 443, protocol: 'tcp' },
  ...over,
});

const pick = (shape: object, parsed: object): unknown =>
  Object.fromEntries(Object.entries(parsed).filter(([key]) => key in shape));

/** A source over findings in memory, in the given order; rule facts that are equal share a row. */
export function sourceOf(given: readonly Given[], over: Partial<ExportHeader> = {}): ExportSource {
  const rows: RuleFacts[] = [];
  const rowOf = new Map<string, number>();
  const bySeverity = noSeverities();
  const findings = given.map(({ suppression, ...input }, index): ExportedFinding => {
    const parsed = ParsedFinding.parse(input);
    const facts = RuleFacts.parse(pick(RuleFacts.shape, parsed));
    const key = JSON.stringify(facts);
    const ruleRow = rowOf.get(key) ?? rows.push(facts) - 1;
    rowOf.set(key, ruleRow);
    bySeverity[facts.severity] += 1;
    return {
      findingId: `${SCAN_ID}.${index + 1}`,
      fingerprint: fingerprint('baseline', parsed),
      ruleRow,
      rule: rows[ruleRow] ?? facts,
      occurrence: { ...Occurrence.parse(pick(Occurrence.shape, parsed)), injection_signals: [] },
      ...(suppression && { suppression }),
    };
  });
  const names = rows.map((rule) => rows.findIndex(({ rule_id: id }) => id === rule.rule_id));
  return {
    header: { ...HEADER, ...over },
    counts: { total: findings.length, bySeverity, totalUnfiltered: findings.length, suppressed: noSeverities() },
    findings: () => findings,
    ruleRows: rows.length,
    nameOf: (row) => names[row] ?? 0,
    rules: () =>
      rows.map((rule, ruleRow) => ({
        ruleRow,
        rule,
        findings: findings.filter((one) => one.ruleRow === ruleRow).length,
      })),
    places: () => PLACES,
    scopes: () => [{ tcpPorts: '1-1024', families: ['tls'] }],
  };
}

/** Everything a target can write to break out of a cell, a tag, a link or a line. */
export const HOSTILE =
  '<script>window.pwned=1</script><img src=x onerror="window.pwned=2">"\'`|a|\n# h\n[x](javascript:alert(1)) ' +
  '![i](https://evil.test/i.png) </style></title>--> <a href="javascript:window.pwned=3">y</a> =1+1,+2;@3 `````` \u{202e}';

export const hostile = (over: Partial<Given> = {}): Given =>
  finding({
    rule_id: 'x</script>|`[r](y)',
    rule_family: HOSTILE.slice(0, 90),
    title: HOSTILE,
    severity: 'critical',
    description: HOSTILE,
    solution: HOSTILE,
    references: [`https://evil.test/"><script>window.pwned=4</script>`, 'javascript:window.pwned=5'],
    location: { url: `http://evil.test/a b"<>|\\^\`{}#x#y%zz`, method: 'GET', parameter: HOSTILE.slice(0, 150) },
    untrusted: { output: HOSTILE, banner: HOSTILE, title: HOSTILE, response: HOSTILE },
    discriminator: '=1+1',
    report_state: HOSTILE,
    cwes: ['CWE-79'],
    cves: ['CVE-2024-3094'],
    cvss: [{ version: '3.1', score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    ...over,
  });

const SUPPRESSION = fc.constantFrom(
  undefined,
  { status: 'false_positive', reason: cleanLine(HOSTILE, 2_000), expires_at: '2027-01-01T00:00:00.000Z' } as const,
  { status: 'accepted_risk', reason: 'known', expires_at: '2027-01-01T00:00:00.000Z' } as const,
  { status: 'mitigated', reason: 'behind a WAF', expires_at: '2027-01-01T00:00:00.000Z' } as const,
);

const packages = fc.record({
  image: fc.constantFrom('alpine:3.10', 'registry.test:5000/app/web@sha256:abc'),
  package: fc.constantFrom('openssl', '@scope/name', 'org.apache:log4j'),
  version: fc.constantFrom('1.1.1k-r0', '2.0'),
});

/** Sources as hostile as reports are. */
export const anySource: fc.Arbitrary<ExportSource> = fc
  .array(
    fc
      .tuple(anyFinding, SUPPRESSION, fc.option(packages, { nil: undefined }))
      .map(([event, suppression, location]): Given => {
        const parsed = event.kind === 'finding' ? event.finding : finding();
        return { ...parsed, ...(location && { location }), ...(suppression && { suppression }) };
      }),
    { maxLength: 20 },
  )
  .map((given) => sourceOf(given));

export const written = (pieces: Iterable<string>): string => [...pieces].join('');
