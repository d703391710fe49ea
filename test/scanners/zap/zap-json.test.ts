import fc from 'fast-check';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { zapJsonFormat } from '../../../src/scanners/zap/json.ts';
import { oddObject } from '../odd-values.ts';
import { findingOf, findingsOf, inPieces, read } from '../report-events.ts';

const ALERT = {
  pluginid: '10055',
  alertRef: '10055-4',
  alert: 'CSP: Wildcard Directive',
  name: 'CSP: Wildcard Directive',
  riskcode: '2',
  confidence: '3',
  riskdesc: 'Medium (High)',
  desc: '<p>A policy &amp; its &lt;script&gt; rules.</p><p>Two.</p>',
  instances: [
    {
      uri: 'https://app.test:8443/a?b=1',
      method: 'GET',
      param: 'Content-Security-Policy',
      attack: '',
      evidence: 'default-src *',
    },
  ],
  count: '1',
  solution: '<p>Set it.</p>',
  otherinfo: '',
  reference: '<p>https://a.test</p><p>https://b.test</p>',
  cweid: '693',
  wascid: '15',
};
const site = (alerts: unknown, name = 'https://app.test:8443') => ({
  '@name': name,
  '@host': 'app.test',
  '@port': '8443',
  '@ssl': 'true',
  alerts,
});
const report = (...sites: unknown[]) => ({
  '@programName': 'ZAP',
  '@version': '2.16.1',
  '@generated': 'Wed, 29 Oct 2025 10:53:54',
  site: sites,
});

describe('ZAP JSON reports', () => {
  it('give an alert instance with the facts of its alert, which stand around it', async () => {
    expect(await findingOf(zapJsonFormat, report(site([ALERT])))).toMatchObject({
      rule_id: '10055',
      rule_family: 'WASC-15',
      title: 'CSP: Wildcard Directive',
      severity: 'medium',
      severity_source: 'zap risk',
      confidence: 'certain',
      description: 'A policy & its <script> rules. Two.',
      solution: 'Set it.',
      references: ['https://a.test', 'https://b.test'],
      cwes: ['CWE-693'],
      discriminator: '10055-4',
      location: {
        host: 'app.test',
        port: 8443,
        protocol: 'tcp',
        url: 'https://app.test:8443/a?b=1',
        method: 'GET',
        parameter: 'Content-Security-Policy',
      },
      untrusted: { output: 'evidence: default-src *' },
    });
  });

  it('give an alert without instances once, at its site or at its own place', async () => {
    const { instances, ...bare } = ALERT;
    expect(instances).toHaveLength(1);
    for (const alert of [bare, { ...bare, instances: [] }, { ...bare, instances: null }])
      expect((await findingOf(zapJsonFormat, report(site([alert])))).location).toMatchObject({
        host: 'app.test',
        url: 'https://app.test:8443',
      });
    const old = { ...bare, uri: 'http://app.test/old', param: 'q', attack: 'x', evidence: 'y' };
    expect(await findingOf(zapJsonFormat, report(site([old])))).toMatchObject({
      location: { url: 'http://app.test/old', parameter: 'q', port: 80 },
      untrusted: { output: 'evidence: y\nattack: x' },
    });
  });

  it.each([
    ['3', 'high', true],
    [2, 'medium', true],
    ['0', 'info', true],
    ['4', 'medium', false],
    ['High', 'medium', false],
    [null, 'medium', false],
  ])('rate risk %j as %s', async (riskcode, severity, severity_rated) => {
    expect(await findingOf(zapJsonFormat, report(site([{ ...ALERT, riskcode }])))).toMatchObject({
      severity,
      severity_rated,
    });
  });

  it('say what was marked as false positive', async () => {
    expect(await findingOf(zapJsonFormat, report(site([{ ...ALERT, confidence: '0' }])))).toMatchObject({
      confidence: 'tentative',
      report_state: 'marked as false positive in ZAP',
    });
  });

  it('of the plus kind show request and response, without logins', async () => {
    const instance = {
      uri: 'http://app.test/',
      'request-header': 'GET / HTTP/1.1\r\nCookie: sid=s3cret\r\n',
      'response-header': 'HTTP/1.1 200 OK',
      'response-body': '<b>',
    };
    const finding = await findingOf(zapJsonFormat, report(site([{ ...ALERT, instances: [instance] }])));
    expect(finding.untrusted.response).toBe('HTTP/1.1 200 OK\n<b>');
    expect(finding.untrusted.output).toContain('Cookie: ***');
    expect(JSON.stringify(finding)).not.toContain('s3cret');
  });

  it('say which hosts answered', async () => {
    const places = async (...sites: unknown[]) => {
      const { events } = await read(zapJsonFormat, inPieces(JSON.stringify(report(...sites))));
      return events.flatMap((event) => (event.kind === 'place' ? [`${event.place.place}: ${event.place.status}`] : []));
    };
    expect(await places(site([ALERT]), site([], 'http://app.test'))).toEqual(['app.test: tested']);
    expect(await places(site([], 'http://quiet.test'))).toEqual(['quiet.test: partial']);
    expect(await places()).toEqual([]);
  });

  it('say the same in any order of keys, and for a site that is no list', async () => {
    const turned = {
      site: [{ alerts: [Object.fromEntries(Object.entries(ALERT).toReversed())], '@name': 'https://app.test:8443' }],
      '@version': '2',
    };
    const [first] = await findingsOf(zapJsonFormat, report(site([ALERT])));
    expect(await findingsOf(zapJsonFormat, turned)).toEqual([first]);
    expect(await findingsOf(zapJsonFormat, { '@version': '2', site: site([ALERT]) })).toEqual([first]);
  });

  it('keep the instances before a cut', async () => {
    const instances = Array.from({ length: 5 }, (_, at) => ({ uri: `https://app.test/${at}` }));
    const { instances: _none, cweid: _cwe, ...facts } = ALERT;
    const text = JSON.stringify(report(site([{ ...facts, instances }])));
    const { findings, error } = await read(zapJsonFormat, inPieces(text.slice(0, text.indexOf('/3"'))));
    expect(findings.map(({ location }) => location.url)).toEqual([
      'https://app.test/0',
      'https://app.test/1',
      'https://app.test/2',
    ]);
    expect(error).toMatchObject({ code: 'report_unreadable' });
  });

  it('with more instances of an alert than memory is for are read to the end', async () => {
    async function* pieces(): AsyncGenerator<Buffer> {
      const { instances: _none, cweid, ...facts } = ALERT;
      yield Buffer.from(
        `{"@version":"2","site":[{"@name":"http://app.test","alerts":[${JSON.stringify(facts).slice(0, -1)},"instances":[`,
      );
      const padding = 'x'.repeat(400);
      for (let at = 0; at < 20_000; at += 1)
        yield Buffer.from(`${at > 0 ? ',' : ''}{"uri":"http://app.test/${at}","evidence":"${padding}"}`);
      yield Buffer.from(`],"cweid":"${cweid}"}]}]}`);
    }
    let found = 0;
    for await (const event of zapJsonFormat.parse(Readable.from(pieces()))) {
      if (event.kind !== 'occurrence') continue;
      expect(event.rule.cwes).toEqual(['CWE-693']);
      expect(event.occurrence.location.url).toBe(`http://app.test/${found}`);
      found += 1;
    }
    expect(found).toBe(20_000);
  });

  it.each([
    '',
    '{}',
    '[]',
    '{"site":5}',
    '{"@version":"2"}',
    '{"site":[{"alerts":[{"x":1}]}]}',
    '{"site":[{"alerts":[{"alert":"a","instances":[5]}]}]}',
  ])('%j are refused', async (text) => {
    expect((await read(zapJsonFormat, inPieces(text))).error).toMatchObject({ code: 'report_unreadable' });
  });

  it('may have anything in any field', async () => {
    const alert = fc.tuple(
      oddObject(
        'pluginid',
        'alertRef',
        'riskcode',
        'confidence',
        'desc',
        'solution',
        'reference',
        'otherinfo',
        'cweid',
        'wascid',
      ),
      fc.array(oddObject('uri', 'method', 'param', 'attack', 'evidence', 'otherinfo'), { maxLength: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(
        oddObject('@name', '@host', '@port'),
        fc.array(alert, { maxLength: 3 }),
        async (facts, alerts) => {
          const all = alerts.map(([one, instances]) => ({ ...one, alert: 'a', instances }));
          const { findings, error } = await read(
            zapJsonFormat,
            inPieces(JSON.stringify({ '@version': '2', site: [{ ...facts, alerts: all }] }), 100),
          );
          const expected = all.reduce((sum, { instances }) => sum + Math.max(1, instances.length), 0);
          expect({ error, findings: findings.length }).toEqual({ error: undefined, findings: expected });
        },
      ),
      { numRuns: 150, endOnFailure: true },
    );
  });
});

describe('an instance of a -plus report', () => {
  it('may have a body of any length: its beginning is kept', async () => {
    const body = 'b'.repeat(9 << 20);
    const instances = [{ uri: 'https://app.test:8443/', 'response-header': 'HTTP/1.1 200', 'response-body': body }];
    const finding = await findingOf(zapJsonFormat, report(site([{ ...ALERT, instances }])));
    expect(finding.location.url).toBe('https://app.test:8443/');
    expect(finding.untrusted.response).toMatch(/^HTTP\/1\.1 200\nb{1000}/);
  });
});
