import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sarif } from '../../../src/findings/exports/sarif.ts';
import { ParsedFinding } from '../../../src/model/finding.ts';
import { SarifResultExtra, SarifRuleExtra, SarifRunExtra } from '../../../src/model/sarif-extra.ts';
import { sarifValidator } from './schemas.ts';
import { anySource, finding, HEADER, hostile, PLACES, sourceOf, written } from './sources.ts';

const validate = sarifValidator();

const Log = z.object({
  runs: z
    .array(
      z.object({
        tool: z.object({
          driver: z.object({
            rules: z.array(z.looseObject({ id: z.string(), properties: z.looseObject({ scanmux: SarifRuleExtra }) })),
          }),
        }),
        invocations: z.array(z.looseObject({})).length(1),
        taxonomies: z.array(z.object({ taxa: z.array(z.looseObject({ id: z.string() })) })).optional(),
        properties: z.object({ scanmux: SarifRunExtra }),
        results: z.array(
          z.looseObject({
            ruleId: z.string(),
            ruleIndex: z.int(),
            fingerprints: z.record(z.string(), z.string()),
            properties: z.object({ scanmux: SarifResultExtra }),
          }),
        ),
      }),
    )
    .length(1),
});

function exported(source: ReturnType<typeof sourceOf>) {
  const log: unknown = JSON.parse(written(sarif(source, '')));
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  const [run] = Log.parse(log).runs;
  if (!run) throw new Error('no run');
  return run;
}

describe('the SARIF export', () => {
  it('is a valid log that says everything of every finding, whatever the report said', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const run = exported(source);
        const back = run.results.map(({ ruleIndex, ruleId, fingerprints, properties: { scanmux } }) => {
          const { rule: own, finding_id: findingId, injection_signals: signals, ...occurrence } = scanmux;
          const descriptor = run.tool.driver.rules[ruleIndex];
          expect(descriptor?.id).toBe(ruleId);
          const rule = own ?? descriptor?.properties.scanmux;
          return {
            findingId,
            print: fingerprints['scanmux/v1'],
            signals,
            finding: ParsedFinding.parse({ ...rule, ...occurrence }),
          };
        });
        expect(back).toEqual(
          [...source.findings()].map(({ findingId, fingerprint, rule, occurrence }) => {
            const { injection_signals: signals, ...own } = occurrence;
            return { findingId, print: fingerprint, signals, finding: ParsedFinding.parse({ ...rule, ...own }) };
          }),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('stays valid with hostile text everywhere', () => {
    const { results } = exported(sourceOf([hostile(), hostile({ location: { host: 'a b<>', port: 1 } })]));
    expect(results).toHaveLength(2);
  });

  it('has one rule per id, and says in the result what differs from it', () => {
    const { tool, results } = exported(
      sourceOf([
        finding({ severity: 'critical', cves: ['CVE-2024-0001'] }),
        finding({ severity: 'low', location: { ip: '10.0.0.2' } }),
        finding({ rule_id: 'rule-2' }),
      ]),
    );
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(['rule-1', 'rule-2']);
    expect(results).toMatchObject([
      { ruleIndex: 0, level: 'error' },
      { ruleIndex: 0, level: 'note', properties: { scanmux: { rule: { severity: 'low', cves: [] } } } },
      { ruleIndex: 1, level: 'error' },
    ]);
    expect(results[0]?.properties.scanmux.rule).toBeUndefined();
  });

  it.each([
    ['critical', 9.8, '9.8'],
    ['critical', 5, '9.5'],
    ['medium', 9.8, '5.5'],
    ['medium', 4.3, '4.3'],
    ['info', undefined, '0.0'],
    ['low', undefined, '2.0'],
  ] as const)('gives %s with CVSS %s a security-severity that says the same', (severity, score, expected) => {
    const cvss = score === undefined ? [] : [{ version: '3.1' as const, score }];
    const { tool } = exported(sourceOf([finding({ severity, cvss })]));
    expect(tool.driver.rules[0]?.properties).toMatchObject({ 'security-severity': expected });
  });

  it('refers to CWEs by a taxonomy', () => {
    const { taxonomies, tool } = exported(
      sourceOf([finding({ cwes: ['CWE-79', 'CWE-20'] }), finding({ rule_id: 'b', cwes: ['CWE-20'] })]),
    );
    expect(taxonomies?.[0]?.taxa.map(({ id }) => id)).toEqual(['79', '20']);
    expect(tool.driver.rules[1]).toMatchObject({
      relationships: [{ target: { id: '20', index: 1, toolComponent: { name: 'CWE', index: 0 } } }],
      properties: { tags: ['security', 'external/cwe/cwe-20'] },
    });
  });

  it.each([
    [{ url: 'http://app.test/a b?q=<x>#1#2' }, 'http://app.test/a%20b?q=%3Cx%3E#1%232'],
    [{ url: 'https://[::1]:8443/%zz' }, 'https://[::1]:8443/%25zz'],
    [{ file: 'src\\a b/ü.ts', line: 3 }, 'src/a%20b/%C3%BC.ts'],
    [{ file: 'a:b#c?.ts' }, 'a%3Ab%23c%3F.ts'],
    [{ ip: '::1', port: 53, protocol: 'udp' }, 'udp://[::1]:53'],
    [{ host: 'db.test', ip: '10.0.0.1', port: 5432, protocol: 'tcp' }, 'tcp://db.test:5432'],
    [{ ip: '10.0.0.1' }, 'ip://10.0.0.1'],
    [{ image: 'alpine:3.10', package: 'musl', version: '1.1' }, 'oci://alpine:3.10'],
  ])('puts %o at %s', (location, uri) => {
    const { results } = exported(sourceOf([finding({ location })]));
    expect(results[0]).toMatchObject({ locations: [{ physicalLocation: { artifactLocation: { uri } } }] });
  });

  it('has no location for a finding without a place', () => {
    const { results } = exported(sourceOf([finding({ location: {} })]));
    expect(results[0]).not.toHaveProperty('locations');
  });

  it('keeps what the target wrote out of messages, and links out of the rest', () => {
    const { results } = exported(
      sourceOf([finding({ title: '[x](https://evil.test)', untrusted: { output: 'SECRET-OUTPUT' } })]),
    );
    expect(results[0]).toMatchObject({ message: { text: String.raw`\[x\](https://evil.test): 10.0.0.1:443/tcp` } });
    expect(JSON.stringify(results[0]?.['message'])).not.toContain('SECRET-OUTPUT');
  });

  it('marks suppressed findings the way SARIF does', () => {
    const { results } = exported(
      sourceOf([
        finding({
          suppression: { status: 'accepted_risk', reason: 'test system', expires_at: '2027-01-01T00:00:00.000Z' },
        }),
      ]),
    );
    expect(results[0]?.['suppressions']).toEqual([
      {
        kind: 'external',
        status: 'accepted',
        justification: 'test system',
        properties: { status: 'accepted_risk', expires_at: '2027-01-01T00:00:00.000Z' },
      },
    ]);
  });

  it('leaves out all scopes rather than some of them, and says so', () => {
    const source = sourceOf([]);
    const many = { ...source, scopes: () => Array.from({ length: 1_001 }, () => ({ tcpPorts: '80' })) };
    const large = {
      ...source,
      scopes: () => [{ rules: ['x'.repeat(200)] }, { rules: Array.from({ length: 20_000 }, () => 'x'.repeat(120)) }],
    };
    for (const cut of [many, large]) expect(exported(cut).properties.scanmux).toMatchObject({ scopes: [], cut: true });
    const places = {
      ...source,
      places: () => Array.from({ length: 5_001 }, (_, at) => ({ place: `h${at}`, status: 'tested' as const })),
    };
    const { scanmux } = exported(places).properties;
    expect([scanmux.places.length, scanmux.scopes.length, scanmux.cut]).toEqual([5_000, 1, true]);
  });

  it('tells what was not looked at, and is successful only when everything was', () => {
    const partial = exported(sourceOf([]));
    expect(partial.invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [
        { level: 'note', message: { text: 'Not looked for: smb: no port was open' } },
        { level: 'warning', message: { text: '10.0.0.2: unreachable (no port answered)' } },
        { level: 'warning', message: { text: '10.0.0.3: not tested' } },
      ],
    });
    expect(partial.properties.scanmux).toMatchObject({ places: PLACES, cut: false, whole: true });
    const complete = exported(sourceOf([], { scan: { ...HEADER.scan, verdict: 'complete' } }));
    expect(complete.invocations[0]).toMatchObject({ executionSuccessful: true });
  });
});
