import { describe, expect, it } from 'vitest';
import { bestCvss, fingerprint, ParsedFinding } from '../../src/model/finding.ts';
import type { ParsedFindingInput } from '../../src/model/finding.ts';

const finding = (over: Partial<ParsedFindingInput> = {}) =>
  ParsedFinding.parse({
    rule_id: 'tls-expired',
    title: 'Certificate expired',
    severity: 'high',
    severity_source: 'rule',
    location: { host: 'app.test', ip: '10.0.0.1', port: 443, protocol: 'tcp' },
    ...over,
  });

describe('a fingerprint', () => {
  it('is a published constant: changing how it is made would orphan every suppression', () => {
    expect(fingerprint('baseline', finding())).toBe('6934d3415992dddf889d4f6e77b94f5d');
  });

  it.each<[string, Partial<ParsedFindingInput>]>([
    ['title', { title: 'Certificate has expired' }],
    ['severity', { severity: 'low' }],
    ['address of a named host', { location: { host: 'app.test', ip: '10.0.0.2', port: 443, protocol: 'tcp' } }],
    ['service name', { location: { host: 'app.test', port: 443, protocol: 'tcp', service: 'https' } }],
    ['version of the engine’s words', { description: 'new', references: ['x'], untrusted: { banner: 'y' } }],
  ])('does not change with the %s', (_, over) => {
    expect(fingerprint('baseline', finding(over))).toBe(fingerprint('baseline', finding()));
  });

  it.each<[string, Partial<ParsedFindingInput>]>([
    ['rule', { rule_id: 'tls-self-signed' }],
    ['host', { location: { host: 'b.test', port: 443, protocol: 'tcp' } }],
    ['port', { location: { host: 'app.test', port: 8443, protocol: 'tcp' } }],
    ['discriminator', { discriminator: 'session' }],
  ])('changes with the %s', (_, over) => {
    expect(fingerprint('baseline', finding(over))).not.toBe(fingerprint('baseline', finding()));
  });

  it('changes with the engine, and does not confuse neighbouring fields', () => {
    expect(fingerprint('nmap', finding())).not.toBe(fingerprint('baseline', finding()));
    const method = finding({ location: { method: 'a' } });
    const parameter = finding({ location: { parameter: 'a' } });
    expect(fingerprint('x', method)).not.toBe(fingerprint('x', parameter));
  });
});

describe('the CVSS score of a finding', () => {
  it('is the highest of the newest version', () => {
    const scores = [
      { version: '2.0', score: 10 },
      { version: '3.1', score: 7.5 },
      { version: '3.1', score: 8.1 },
    ] as const;
    expect(bestCvss(finding({ cvss: [...scores] }))).toBe(8.1);
    expect(bestCvss(finding())).toBeUndefined();
  });
});

describe('a parsed finding', () => {
  it('cleans every text while it is parsed', () => {
    const dirty = 'a\u{1b}\u{202e}b';
    const clean = 'a\\u{1b}\\u{202e}b';
    const parsed = finding({
      title: dirty,
      references: [dirty],
      location: { host: dirty, url: dirty },
      untrusted: { output: dirty, banner: dirty, title: dirty, response: dirty },
    });
    expect(parsed).toMatchObject({
      title: clean,
      references: [clean],
      location: { host: clean, url: clean },
      untrusted: { output: clean, banner: clean, title: clean, response: clean },
    });
    expect(JSON.stringify(parsed)).not.toContain('\u{202e}');
  });

  it('parses to itself a second time', () => {
    const once = finding({ untrusted: { output: `http://${'x'.repeat(30_000)}` } });
    expect(ParsedFinding.parse(once)).toEqual(once);
  });

  it.each<Record<string, unknown>>([
    { cves: ['CVE-24-1'] },
    { cvss: [{ version: '3.1', score: 11 }] },
    { epss: 2 },
    { severity: 'urgent' },
    { location: { port: 70_000 } },
    { unknown: 1 },
  ])('does not accept %j', (over) => {
    expect(ParsedFinding.safeParse({ ...finding(), ...over }).success).toBe(false);
  });
});
