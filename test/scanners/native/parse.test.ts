import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParsedFinding, type ParsedFindingInput } from '../../../src/model/finding.ts';
import { NativeFindingLine, NativeHeader, scopeLine } from '../../../src/model/native.ts';
import type { ReportScope } from '../../../src/model/report.ts';
import { nativeFormat } from '../../../src/scanners/native/format.ts';
import { eventsOf, hasEnd, heardFrom, placesIn, scopesIn } from '../reading.ts';
import { anyFinding } from '../../findings/reports.ts';

const COVERAGE = {
  requested: 1,
  tested: 1,
  partial: 0,
  unreachable: 0,
  not_tested: 0,
  looked_for: ['tcp ports (2)'],
  not_looked_for: ['UDP ports: not part of this scan'],
};

const HEADER = {
  scanmux: 'findings',
  version: 1,
  engine: 'nmap',
  scan: {
    scan_id: 'scan_0123456789abcdefghjk',
    name: 'weekly',
    origin: 'run',
    state: 'completed',
    verdict: 'complete',
    access: 'untrusted',
    targets: ['192.0.2.1'],
    created_at: '2026-11-20T10:00:00.000Z',
    finished_at: '2026-11-20T11:00:00.000Z',
  },
  coverage: COVERAGE,
  source: { tool: 'nmap', version: '7.93' },
  whole: true,
  filtered: [],
};

const PLACE = { place: '192.0.2.1', status: 'tested', login: 'success' };
const SCOPE: ReportScope = {
  place: '192.0.2.1',
  tcpPorts: '1-100',
  udpPorts: '53',
  tcpPortList: 'default',
  udpPortList: 'default',
  portsAnswered: true,
  families: ['ports'],
  rules: ['nse:a'],
  rulesNotRun: ['nse:b'],
  reportsMore: true,
  rulesAsOf: '2026-01-02T03:04:05.000Z',
};

const finding = (over: Partial<ParsedFindingInput> = {}): ParsedFinding =>
  ParsedFinding.parse({
    rule_id: 'nmap:port-open',
    title: 'Port 80/tcp is open',
    severity: 'info',
    severity_source: 'rule',
    location: { ip: '192.0.2.1', port: 80, protocol: 'tcp' },
    ...over,
  });

const lines = (...values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const file = (findings: readonly object[], header: object = HEADER): string =>
  lines(header, { place: PLACE }, scopeLine(SCOPE), ...findings, { end: true, findings: findings.length });

async function findingsOf(text: string): Promise<ParsedFinding[]> {
  const events = await eventsOf(nativeFormat, text);
  return events.flatMap((event) =>
    event.kind === 'occurrence' ? [ParsedFinding.parse({ ...event.rule, ...event.occurrence })] : [],
  );
}

describe("scanmux's own findings file", () => {
  it('has a header that the schema takes', () => {
    expect(NativeHeader.parse(HEADER)).toEqual(HEADER);
  });

  it('gives back places, scopes, findings and whose they are', async () => {
    const events = await eventsOf(nativeFormat, file([finding()]));
    expect(events[0]).toEqual({
      kind: 'source',
      source: {
        engine: 'nmap',
        tool: 'nmap',
        version: '7.93',
        title: 'weekly',
        finishedAt: Date.UTC(2026, 10, 20, 11),
      },
    });
    expect(events[1]).toEqual({
      kind: 'checks',
      lookedFor: COVERAGE.looked_for,
      notLookedFor: COVERAGE.not_looked_for,
    });
    expect(placesIn(events)).toEqual([PLACE]);
    expect(scopesIn(events)).toEqual([SCOPE]);
    expect(hasEnd(events)).toBe(true);
  });

  it('gives back every finding as it was, with all its fields', async () => {
    const full = finding({
      rule_family: 'ports',
      severity_rated: false,
      confidence: 'certain',
      description: 'd',
      solution: 's',
      references: ['https://a.test/'],
      cvss: [{ version: '3.1', score: 9.8, vector: 'CVSS:3.1/AV:N' }],
      cves: ['CVE-2024-1000'],
      cwes: ['CWE-79'],
      epss: 0.5,
      epss_source: 'FIRST EPSS 2026-11-20',
      vpr: 7.1,
      kev: true,
      kev_source: 'CISA KEV 2026.11.20',
      exploit_available: true,
      untrusted: { output: 'o', banner: 'b', title: 't', response: 'r' },
      discriminator: 'x',
      compliance: 'failed',
      report_state: 'suppressed: accepted',
    });
    expect(Object.keys(full).toSorted()).toEqual(Object.keys(ParsedFinding.shape).toSorted());
    expect(await findingsOf(file([full]))).toEqual([full]);
  });

  it('gives back any findings', async () => {
    const found = anyFinding.map((event) => (event.kind === 'finding' ? event.finding : finding()));
    await fc.assert(
      fc.asyncProperty(fc.array(found, { maxLength: 8 }), async (findings) => {
        expect(await findingsOf(file(findings))).toEqual(findings);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves out what scanmux works out anew and what was judged elsewhere', async () => {
    const added = {
      finding_id: 'scan_0123456789abcdefghjk-1',
      fingerprint: 'a'.repeat(32),
      engine: 'nmap',
      injection_signals: ['asks to ignore instructions'],
      suppression: { status: 'false_positive', reason: 'r', expires_at: '2027-01-01T00:00:00.000Z' },
    };
    const line = NativeFindingLine.parse({ ...finding(), ...added });
    expect(await findingsOf(file([line]))).toEqual([finding()]);
  });

  it('shares the facts of neighbours of one rule', async () => {
    const events = await eventsOf(nativeFormat, file([finding(), finding({ location: { ip: '192.0.2.2' } })]));
    const [a, b] = events.flatMap((event) => (event.kind === 'occurrence' ? [event.rule] : []));
    expect(a).toBe(b);
  });

  it.each([
    ['a scan that was cut short', { ...HEADER, whole: false }],
    ['an export that was filtered', { ...HEADER, filtered: ['min_severity high'] }],
  ])('does not end whole: %s', async (_what, header) => {
    expect(hasEnd(await eventsOf(nativeFormat, file([finding()], header)))).toBe(false);
  });

  it.each([
    ['no last line', lines(HEADER, finding()), /no last line/],
    ['half a last line', file([finding()]).slice(0, -10), /line 5 that is cut short/],
    [
      'another number of findings',
      lines(HEADER, finding(), { end: true, findings: 2 }),
      /line 3 that counts 2 findings, but 1/,
    ],
    ['more after the end', file([]) + lines(finding()), /line 5 that comes after the end/],
    ['a newer version', lines({ ...HEADER, version: 2 }), /line 1 that does not fit at "version"/],
    ['an unknown key', lines(HEADER, { ...finding(), shell: 1 }), /line 2 that does not fit at "shell"/],
    ['a key that is a trap', `${lines(HEADER)}{"__proto__":{"rule_id":"x"}}\n`, /line 2 that does not fit/],
    [
      'a finding without a place to be',
      lines(HEADER, { ...finding(), location: undefined }),
      /line 2 that does not fit at "location"/,
    ],
    ['a finding of another engine', lines(HEADER, { ...finding(), engine: 'zap' }), /another engine/],
    [
      'a severity there is none',
      lines(HEADER, { ...finding(), severity: 'worst' }),
      /line 2 that does not fit at "severity"/,
    ],
    ['a list', lines(HEADER, [1]), /line 2 that is no object/],
    ['nothing', '', /empty/],
    ['no JSON', 'hello\n', /line 1/],
  ])('refuses a file with %s', async (_what, text, why) => {
    expect((await heardFrom(nativeFormat, text)).error).toMatchObject({ code: 'report_unreadable', message: why });
  });

  it('cleans what it is given', async () => {
    const dirty = { ...finding(), title: 'a\u202eb', untrusted: { output: 'http://x.test \u001b[31m' } };
    expect(await findingsOf(file([dirty]))).toMatchObject([
      { title: 'a\\u{202e}b', untrusted: { output: 'hxxp://x.test \\u{1b}[31m' } },
    ]);
  });

  it('is told by its header', () => {
    expect(nativeFormat.detect(Buffer.from(lines(HEADER).slice(0, 60)))).toBe(true);
    expect(nativeFormat.detect(Buffer.from('{"a":{"scanmux":"findings"}}'))).toBe(false);
    expect(nativeFormat.detect(Buffer.from('{"scanmux":"results"}'))).toBe(false);
  });
});
