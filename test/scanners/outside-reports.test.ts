import { describe, expect, it } from 'vitest';
import { REPORT_FORMATS } from '../../src/engines.ts';
import { AppError } from '../../src/model/errors.ts';
import { detectFormat } from '../../src/scanners/detect-format.ts';
import { HEAD_BYTES } from '../../src/scanners/report-format.ts';
import { findingsIn, heardFrom, placesIn } from './reading.ts';

/** Reports as they come from other products, versions and hands; each is recognised by itself. */
async function read(report: unknown) {
  const bytes = Buffer.from(typeof report === 'string' ? report : JSON.stringify(report));
  const { events, error } = await heardFrom(detectFormat(bytes.subarray(0, HEAD_BYTES), REPORT_FORMATS), bytes);
  if (error !== undefined) throw error;
  return { findings: findingsIn(events), places: placesIn(events), events };
}

async function faultOf(report: string) {
  const { error } = await heardFrom(detectFormat(Buffer.from(report), REPORT_FORMATS), report);
  if (!(error instanceof AppError)) throw new Error('no fault');
  return error;
}

const formatOf = (report: unknown): string =>
  detectFormat(
    Buffer.from(typeof report === 'string' ? report : JSON.stringify(report)).subarray(0, HEAD_BYTES),
    REPORT_FORMATS,
  ).name;

describe('an export of Tenable Web App Scanning', () => {
  const item =
    '<ReportItem pluginFamily="Injection" pluginName="A check" pluginID="98000" severity="3" protocol="TCP" svc_name="https" port="8443">' +
    '<risk_factor>high</risk_factor><cvss>7.5</cvss><cvssv3>8.1</cvssv3></ReportItem>';
  const was =
    '<?xml version="1.0" ?><NessusClientData_v2><Report name="app" type="was"><ReportHost name="https://app.example:8443/shop/">' +
    '<HostProperties><tag name="host-fqdn">https://app.example:8443/shop/</tag>' +
    '<tag name="HOST_START">2026-01-02T03:04:05.12345+00:00</tag><tag name="HOST_END">2026-01-02T04:04:05+00:00</tag></HostProperties>' +
    `${item}</ReportHost></Report></NessusClientData_v2>`;

  it('names its host by a URL, which is no host name', async () => {
    const { findings, places } = await read(was);
    expect(findings).toMatchObject([
      { severity: 'high', location: { host: 'app.example', port: 8443, protocol: 'tcp', service: 'https' } },
    ]);
    expect(places).toEqual([{ place: 'app.example', status: 'tested' }]);
    const { findings: byAddress } = await read(was.replaceAll('app.example', '192.0.2.7'));
    expect(byAddress[0]?.location).toMatchObject({ ip: '192.0.2.7', port: 8443 });
  });

  it('has scores and times in words of its own', async () => {
    const { findings, events } = await read(was);
    expect(findings[0]?.cvss).toEqual([
      { version: '3.0', score: 8.1 },
      { version: '2.0', score: 7.5 },
    ]);
    expect(events).toContainEqual({
      kind: 'source',
      source: { startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 123), finishedAt: Date.UTC(2026, 0, 2, 4, 4, 5) },
    });
  });
});

describe('a report of OpenVAS', () => {
  const result =
    '<result id="r"><name>N</name><host>192.0.2.10</host><port>443/tcp</port><nvt oid="1.3.6.1"><name>N</name></nvt><severity>7.5</severity></result>';

  it.each([
    [
      'the attributes of an export',
      `<report id="a" format_id="f" extension="xml"><report id="a"><results>${result}</results></report></report>`,
    ],
    ['its checks', `<report id="a"><results start="1">${result}</results></report>`],
  ])('is known by %s alone', async (_, report) => {
    const { findings } = await read(`<?xml version="1.0"?>${report}`);
    expect(findings).toMatchObject([{ severity: 'high', location: { ip: '192.0.2.10', port: 443 } }]);
  });

  it('is not every report', () => {
    expect(() => formatOf('<report id="a"><results><result/></results></report>')).toThrow(/no known report/);
  });
});

describe('white space before an XML declaration', () => {
  const zap =
    '<?xml version="1.0"?><OWASPZAPReport version="2.15.0"><site name="http://a.test" host="a.test" port="80" ssl="false"><alerts/></site></OWASPZAPReport>';

  it('is what a copied text begins with, and no fault', async () => {
    expect((await read(`\n  ${zap}`)).places).toMatchObject([{ place: 'a.test' }]);
    const nessus =
      '<?xml version="1.0"?>\n<NessusClientData_v2><Report name="r"><ReportHost name="a.test"/></Report></NessusClientData_v2>';
    expect((await read(`\r\n\n${nessus}`)).places).toMatchObject([{ place: 'a.test' }]);
  });

  it('counts in the place of a fault', async () => {
    await expect(read(`\n\n${zap.replace('</site>', '</sight>')}`)).rejects.toMatchObject({
      message: expect.stringMatching(/close tag at line 3, column 134/),
    });
  });
});

describe('SARIF', () => {
  const log = (results: readonly unknown[], name = 't') => ({
    version: '2.1.0',
    runs: [{ tool: { driver: { name, rules: [{ id: 'a', defaultConfiguration: { level: 'Note' } }] } }, results }],
  });

  it('has levels and kinds in any case', async () => {
    const { findings } = await read(
      log([
        { ruleId: 'x', level: 'Error' },
        { ruleId: 'x', level: 'WARNING' },
        { ruleId: 'x', level: 'error', kind: 'Pass' },
        { ruleId: 'a' },
      ]),
    );
    expect(findings.map(({ severity, severity_rated: rated }) => [severity, rated])).toEqual([
      ['high', true],
      ['medium', true],
      ['info', true],
      ['low', true],
    ]);
    expect(findings[2]?.report_state).toBe('kind: pass');
  });

  it('has no security-severity where that is 0.0, so that the level counts', async () => {
    const unscored = { ruleId: 'x', level: 'error', properties: { 'security-severity': '0.0' } };
    const { findings } = await read(log([unscored]));
    expect(findings).toMatchObject([{ severity: 'high', severity_source: 'sarif: level' }]);
  });

  it('has messages that are no objects', async () => {
    const { findings } = await read(log([{ ruleId: 'x', message: 'said plainly' }]));
    expect(findings[0]?.untrusted.output).toBe('said plainly');
  });

  it('says by its request alone where it is', async () => {
    const { findings } = await read(
      log([
        { ruleId: 'x', webRequest: { method: 'GET', target: 'http://a.test:8080/q' } },
        { ruleId: 'x', webRequest: { method: 'GET', target: '/q' } },
      ]),
    );
    expect(findings.map(({ location }) => location)).toEqual([
      { host: 'a.test', port: 8080, protocol: 'tcp', url: 'http://a.test:8080/q' },
      {},
    ]);
  });

  it('tells results apart by fingerprints that are objects', async () => {
    const marked = (value: string) => ({ ruleId: 'x', fingerprints: { hash: { value } } });
    const { findings } = await read(log([marked('one'), marked('two'), marked('one')]));
    const [one, two, again] = findings.map(({ discriminator }) => discriminator);
    expect([one === undefined, one === two, one === again]).toEqual([false, false, true]);
  });
});

describe('Trivy', () => {
  const flaw = { VulnerabilityID: 'GHSA-aaaa-bbbb-cccc', PkgName: 'p', InstalledVersion: '1', Severity: 'HIGH' };
  const of = (results: readonly unknown[]) => ({
    SchemaVersion: 2,
    ArtifactName: 'app',
    ArtifactType: 'filesystem',
    Results: results,
  });

  it('names the CVE of an advisory beside it', async () => {
    const Vulnerabilities = [{ ...flaw, VendorIDs: ['CVE-2026-0001', 'DSA-1'] }];
    const { findings } = await read(of([{ Target: 'package-lock.json', Class: 'lang-pkgs', Vulnerabilities }]));
    expect(findings[0]?.cves).toEqual(['CVE-2026-0001']);
  });

  it('has secrets without a rule', async () => {
    const Secrets = [{ VulnerabilityID: 'x' }, { RuleID: 'aws', Severity: 'HIGH' }];
    const { findings } = await read(of([{ Target: 'a.env', Class: 'secret', Secrets }]));
    expect(findings).toMatchObject([
      { rule_id: 'unknown', title: 'A secret', severity: 'medium', severity_rated: false },
      { rule_id: 'aws', severity: 'high' },
    ]);
  });

  it('has licences without a name', async () => {
    const Licenses = [{ Severity: 'UNKNOWN', Category: 'unknown', PkgName: 'p', Name: '' }, { Name: 'MIT' }];
    const { findings } = await read(of([{ Target: 'OS Packages', Class: 'license', Licenses }]));
    expect(findings.map(({ rule_id: rule, title }) => [rule, title])).toEqual([
      ['license:unknown', 'License unknown (unknown)'],
      ['license:MIT', 'License MIT'],
    ]);
  });

  it('is known by its results alone', async () => {
    const { findings } = await read({
      Results: [{ Target: 'package-lock.json', Class: 'lang-pkgs', Type: 'npm', Vulnerabilities: [flaw] }],
    });
    expect(findings).toMatchObject([{ severity: 'high', location: { file: 'package-lock.json', package: 'p' } }]);
    expect((await read({ Results: [{ Vulnerabilities: [flaw] }] })).findings).toMatchObject([{ severity: 'high' }]);
    expect(() => formatOf({ Results: [{ Target: 'x' }] })).toThrow(/no known report/);
    expect(() => formatOf({ Results: [{ Class: 'x' }] })).toThrow(/no known report/);
  });
});

describe('Grype', () => {
  it('has severities in words of Red Hat', async () => {
    const match = (severity: string) => ({ vulnerability: { id: 'RHSA-1', severity }, artifact: { name: 'p' } });
    const { findings } = await read({ matches: [match('Important'), match('moderate')] });
    expect(findings.map(({ severity }) => severity)).toEqual(['high', 'medium']);
  });

  it('was a list of matches at first', async () => {
    const { findings } = await read([
      { vulnerability: { id: 'CVE-2019-0001', severity: 'Low' }, matchDetails: {}, artifact: { name: 'p' } },
      { vulnerability: { id: 'CVE-2019-0002' }, matchDetails: {}, artifact: { name: 'q' } },
    ]);
    expect(findings).toMatchObject([{ severity: 'low' }, { severity: 'medium', severity_rated: false }]);
  });

  it('is known where every match was ignored', () => {
    const ignored = { vulnerability: { id: 'CVE-2026-0001', description: 'x'.repeat(HEAD_BYTES) }, artifact: {} };
    expect(formatOf({ matches: [], ignoredMatches: [ignored], source: {}, descriptor: { name: 'grype' } })).toBe(
      'grype',
    );
  });

  it('of its first versions has scores, links and fixes in other words', async () => {
    const { findings } = await read({
      matches: [
        {
          vulnerability: {
            id: 'CVE-2019-0001',
            severity: 'High',
            links: ['https://a.test'],
            cvssV2: { baseScore: 7.5, vector: 'AV:N/AC:L/Au:N/C:P/I:P/A:P' },
            cvssV3: { baseScore: 9.8, vector: 'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
            fixedInVersion: '2.0',
          },
          matchDetails: { matcher: 'm' },
          artifact: { name: 'p', version: '1', type: 'deb', locations: [{ path: '/p', layerIndex: 0 }] },
        },
      ],
    });
    expect(findings[0]).toMatchObject({
      cvss: [
        { version: '3.0', score: 9.8 },
        { version: '2.0', score: 7.5 },
      ],
      references: ['https://a.test'],
      location: { package: 'p', fixed_version: '2.0' },
    });
  });
});

describe('Nuclei', () => {
  it.each([[[]], [''], [null], [undefined], [['CVE-2026-0001']]])(
    'names the CVE its template is called by, with %j in the classification',
    async (ids) => {
      const info = { name: 'A', severity: 'high', classification: { 'cve-id': ids } };
      const { findings } = await read({ 'template-id': 'CVE-2026-0001', info, 'matched-at': 'http://a.test/' });
      expect(findings[0]?.cves).toEqual(['CVE-2026-0001']);
    },
  );

  it('says which of its payloads worked, but no password', async () => {
    const meta = { username: 'anonymous', password: 'hunter2', attempt: 3, odd: { a: 1 } };
    const line = { 'template-id': 'ftp-default', info: { name: 'A' }, type: 'network', matched: 'a.test:21', meta };
    const { findings } = await read(line);
    expect(findings[0]?.untrusted.output).toBe('payload: username=anonymous, password=***, attempt=3');
  });

  const found = JSON.stringify({
    'template-id': 'a',
    info: { name: 'A', severity: 'low' },
    'matched-at': 'http://a.test/',
  });

  it('with both streams in one file is read past banner, messages and statistics', async () => {
    const banner = [
      '',
      '                     __     _',
      '   ____  __  _______/ /__  (_)',
      '  / __ \\/ / / / ___/ / _ \\/ /',
      ' / / / / /_/ / /__/ /  __/ /',
      '/_/ /_/\\__,_/\\___/_/\\___/_/   v3.3.1',
      '',
      '\t\tprojectdiscovery.io',
      '',
      '[INF] Templates loaded for current scan: 1',
    ];
    const statistics = '[0:00:05] | Templates: 1 | Hosts: 1 | RPS: 5 | Matched: 1 | Errors: 0 | Requests: 5/9 (55%)';
    const file = [...banner, found, statistics, found, '[INF] No results found. Better luck next time!'].join('\n');
    expect((await read(file)).findings).toHaveLength(2);
    expect((await read([statistics, found].join('\n'))).findings).toHaveLength(1);
  });

  it.each(['hello', '/etc/passwd', '_', '[0:00] no statistics'])('is not read past other text: %s', async (line) => {
    await expect(read([found, line, found].join('\n'))).rejects.toMatchObject({ code: 'report_unreadable' });
  });

  it('is known before a template that fills the head of the file', () => {
    const line = {
      template: 'custom/a.yaml',
      'template-id': 'a',
      'template-path': '/t/custom/a.yaml',
      'template-encoded': 'QUFB'.repeat(HEAD_BYTES),
      info: { name: 'A', severity: 'low' },
      'matched-at': 'http://a.test/',
    };
    expect([formatOf(line), formatOf([line])]).toEqual(['nuclei', 'nuclei']);
  });
});

describe('nmap as Zenmap saves it', () => {
  const saved =
    '<?xml version="1.0" encoding="iso-8859-1"?>\n<nmaprun scanner="nmap" args="nmap x" profile="Scan \u00e9" version="7.94">' +
    '<output type="interactive">Nmap scan report</output><host comment=""><status state="up" reason=""/>' +
    '<address addrtype="ipv4" vendor="" addr="192.0.2.1"/><ports><port protocol="tcp" portid="80">' +
    '<state reason="syn-ack" state="open" reason_ttl="64"/><service name="http" product="caf\u00e9 &#8364;"/></port></ports></host>' +
    '<runstats><finished time="1700000000"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>';

  it('is in ISO-8859-1', async () => {
    const format = detectFormat(Buffer.from(saved, 'latin1'), REPORT_FORMATS);
    const { events, error } = await heardFrom(format, Buffer.from(saved, 'latin1'));
    expect(error).toBeUndefined();
    expect(findingsIn(events)).toMatchObject([{ untrusted: { banner: 'caf\u00e9 \u20ac' } }]);
  });
});

describe('a comment before an XML declaration', () => {
  const licence = '<!--\nA licence: <?xml is not the beginning -->\n\n';
  const zap =
    '<?xml version="1.0"?><OWASPZAPReport version="2.9.0"><site name="http://a.test" host="a.test" port="80" ssl="false"><alerts/></site></OWASPZAPReport>';
  const nessus =
    '<?xml version="1.0"?>\n<NessusClientData_v2><Report name="r"><ReportHost name="a.test"/></Report></NessusClientData_v2>';

  it.each([
    ['a licence', `${licence}${zap}`],
    ['two', `<!-- a --><!-- b -->\n${zap}`],
    ['a licence of a Nessus report', `${licence}${nessus}`],
    ['one behind it that quotes another', zap.replace('?>', '?><!-- <?xml version="1.0"?> -->')],
    ['one without a declaration behind it', `${licence}${zap.slice(zap.indexOf('?>') + 2)}`],
  ])('is no fault: %s', async (_, report) => {
    const bytes = Buffer.from(report);
    const format = detectFormat(bytes, REPORT_FORMATS);
    for (const size of [1, 7, bytes.length]) {
      const { events, error } = await heardFrom(format, report, size);
      expect(error).toBeUndefined();
      expect(placesIn(events)).toMatchObject([{ place: 'a.test' }]);
    }
  });

  it('counts in the place of a fault', async () => {
    const { message } = await faultOf(`${licence}${zap.replace('</site>', '</sight>')}`);
    expect(message).toMatch(/close tag at line 4, column 133/);
  });

  it.each([
    ['an unfinished comment', `<!-- ${zap}`],
    ['text', `x${zap}`],
    ['another root', `<a/>${zap}`],
  ])('is nothing else: %s', async (_, report) => {
    const zapFormat = REPORT_FORMATS.find((format) => format.detect(Buffer.from(zap)));
    if (!zapFormat) throw new Error('no format');
    expect((await heardFrom(zapFormat, report)).error).toMatchObject({ code: 'report_unreadable' });
  });
});

describe('ZAP as JSON', () => {
  it('is known by the alerts of its sites', async () => {
    const alerts = [{ alert: 'A', riskcode: '3', uri: 'http://a.test/login' }];
    for (const site of [[{ host: 'a.test', alerts }], { '@name': 'http://a.test', alerts }]) {
      const { findings } = await read({ site });
      expect(findings).toMatchObject([{ severity: 'high', location: { host: 'a.test' } }]);
    }
  });
});

describe('Nessus', () => {
  it.each([
    ['High', 'high'],
    ['CRITICAL', 'critical'],
    ['None', 'info'],
    ['5', 'medium'],
  ])('with a severity in a word, %s, is rated by it', async (word, severity) => {
    const item = `<ReportItem port="1" protocol="tcp" severity="${word}" pluginID="1" pluginName="A"/>`;
    const report = `<NessusClientData_v2><Report><ReportHost name="a.test">${item}</ReportHost></Report></NessusClientData_v2>`;
    expect((await read(report)).findings).toMatchObject([{ severity }]);
  });
});
