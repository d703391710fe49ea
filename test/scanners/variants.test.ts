import { describe, expect, it } from 'vitest';
import { REPORT_FORMATS } from '../../src/engines.ts';
import { detectFormat } from '../../src/scanners/detect-format.ts';
import { HEAD_BYTES } from '../../src/scanners/report-format.ts';
import { findingsIn, hasEnd, heardFrom, placesIn } from './reading.ts';

/** Reports as other versions, templates and options of the engines write them; each is recognised by itself. */
async function heard(report: unknown) {
  const bytes = Buffer.isBuffer(report)
    ? report
    : Buffer.from(typeof report === 'string' ? report : JSON.stringify(report));
  const format = detectFormat(bytes.subarray(0, HEAD_BYTES), REPORT_FORMATS);
  const { events, error } = await heardFrom(format, bytes);
  return { format, events, error };
}

/** Severity, place and state of each finding. */
async function told(report: unknown): Promise<readonly string[]> {
  const { events, error } = await heard(report);
  if (error !== undefined) throw error;
  return findingsIn(events).map(({ severity, location, report_state: state }) => {
    const { ip, host, port, protocol, url, image, file, line } = location;
    const at = url ?? [image, file, host ?? ip, port && `${port}/${protocol}`, line].filter(Boolean).join(' ');
    return [severity, at, state].filter(Boolean).join(' | ');
  });
}

const NUCLEI = {
  'template-id': 'git-config',
  info: { name: 'Git', severity: 'medium' },
  type: 'http',
  host: 'http://a.test',
  'matched-at': 'http://a.test/.git/config',
  timestamp: '2024-01-01T00:00:00Z',
};
const NUCLEI_2 = {
  templateID: 'git-config',
  info: {
    name: 'Git',
    author: 'x',
    tags: 'config,git',
    severity: 'medium',
    reference: 'https://a.test\nhttps://b.test',
  },
  matcher_name: '',
  type: 'http',
  host: 'http://a.test',
  matched: 'http://a.test/.git/config',
  extracted_results: ['[core]'],
};
const VULNERABILITY = { VulnerabilityID: 'CVE-2019-1234', PkgName: 'p', InstalledVersion: '1', Severity: 'HIGH' };
const CLUSTER_RESULT = {
  Target: 'nginx (debian 11)',
  Class: 'os-pkgs',
  Type: 'debian',
  Vulnerabilities: [VULNERABILITY],
};
const resource = (more: object = { Results: [CLUSTER_RESULT] }) => ({
  Namespace: 'd',
  Kind: 'Pod',
  Name: 'w',
  ...more,
});
const misconfigured = {
  Results: [
    {
      Target: 'Pod/w',
      Class: 'config',
      Type: 'kubernetes',
      Misconfigurations: [{ ID: 'KSV001', Severity: 'LOW', Status: 'FAIL' }],
    },
  ],
};

const ZAP_INSTANCE = {
  uri: 'http://a.test/q',
  method: 'GET',
  'request-header': 'GET /q HTTP/1.1\r\nCookie: s=1\r\n',
  'request-body': '',
  'response-header': 'HTTP/1.1 200 OK\r\n',
  'response-body': '<html>',
};
const ZAP_ALERT = {
  pluginid: '40012',
  alert: 'XSS',
  riskcode: '3',
  confidence: '2',
  instances: [ZAP_INSTANCE],
  systemic: true,
};
const ZAP_SITE = { '@name': 'http://a.test', '@host': 'a.test', '@port': '80', '@ssl': 'false' };
const zap = (site: unknown) => ({
  '@programName': 'ZAP',
  '@version': '2.16.0',
  '@generated': 'x',
  site,
  insights: [{ level: 'Low' }],
});
const zapXml = (version: string, alert: string) =>
  `<?xml version="1.0"?><OWASPZAPReport version="${version}" generated="x"><site name="http://a.test" host="a.test" port="80" ssl="false"><alerts><alertitem><pluginid>1</pluginid><alert>A</alert><riskcode>1</riskcode>${alert}</alertitem></alerts></site></OWASPZAPReport>`;

const ovResult = (over: string) =>
  `<result id="r"><name>N</name><host>10.0.0.5<asset asset_id="a"/></host><port>443/tcp</port><nvt oid="1.3.6"><name>N</name><cvss_base>5.0</cvss_base></nvt>${over}<description>d</description></result>`;
const openvas = (results: string) =>
  `<report id="a" format_id="f"><name>n</name><report id="a"><gmp><version>22.5</version></gmp><scan_run_status>Done</scan_run_status><results start="1" max="9">${results}</results></report></report>`;

const sarif = (run: object) => ({ version: '2.1.0', runs: [{ tool: { driver: { name: 't' } }, ...run }] });
const result = (over: object = {}) => ({
  ruleId: 'a',
  level: 'error',
  message: { text: 'm' },
  locations: [{ physicalLocation: { artifactLocation: { uri: 'a.c' } } }],
  ...over,
});

const nmapHost = (ports: string, address = '10.0.0.1', type = 'ipv4', state = 'up') =>
  `<host><status state="${state}" reason="x"/><address addr="${address}" addrtype="${type}"/><address addr="00:11:22:33:44:55" addrtype="mac"/><hostnames/>${ports}</host>`;
const nmapPort = (port: number, protocol: string, state = 'open') =>
  `<port protocol="${protocol}" portid="${port}"><state state="${state}" reason="x"/></port>`;
const nmap = (content: string, end = '<runstats><finished time="1700000000" exit="success"/></runstats></nmaprun>') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<?xml-stylesheet href="x.xsl" type="text/xsl"?>\n<nmaprun scanner="nmap" args="nmap x"><verbose level="0"/>${content}${end}`;
const nmapOpen = nmap(nmapHost(`<ports>${nmapPort(22, 'tcp')}</ports>`));

describe('variants of reports', () => {
  it.each<readonly [string, unknown, readonly string[]]>([
    ['Nuclei of the first version 2', NUCLEI_2, ['medium | http://a.test/.git/config']],
    [
      'Nuclei lines that did not match, with CRLF',
      `${JSON.stringify({ ...NUCLEI, 'matcher-status': false })}\r\n${JSON.stringify({ ...NUCLEI, 'matcher-status': true })}\r\n`,
      ['medium | http://a.test/.git/config'],
    ],
    [
      'Nuclei as a list',
      [NUCLEI, NUCLEI_2],
      ['medium | http://a.test/.git/config', 'medium | http://a.test/.git/config'],
    ],
    ['Nuclei without info', { ...NUCLEI, info: null }, ['medium | http://a.test/.git/config']],
    ['Nuclei of an IPv6 service', { ...NUCLEI, type: 'tcp', 'matched-at': '[::1]:22' }, ['medium | ::1 22/tcp']],
    ['ZAP with requests and responses', zap([{ ...ZAP_SITE, alerts: [ZAP_ALERT] }]), ['high | http://a.test/q']],
    ['ZAP with one site', zap({ ...ZAP_SITE, alerts: [{ ...ZAP_ALERT, riskcode: 2 }] }), ['medium | http://a.test/q']],
    [
      'ZAP with an alert without instances',
      zap([{ ...ZAP_SITE, alerts: [{ ...ZAP_ALERT, instances: [] }] }]),
      ['high | http://a.test'],
    ],
    ['ZAP without sites', zap([]), []],
    [
      'ZAP 2.9 as XML',
      zapXml(
        '2.9.0',
        '<confidence>2</confidence><instances><instance><uri>http://a.test/1</uri><method>GET</method></instance><instance><uri>http://a.test/2</uri></instance></instances><count>2</count>',
      ),
      ['low | http://a.test/1', 'low | http://a.test/2'],
    ],
    [
      'ZAP 2.4 as XML',
      zapXml(
        '2.4.3',
        '<reliability>2</reliability><uri>http://a.test/1</uri><param>p</param><attack/><otherinfo/><uri>http://a.test/2</uri><solution/>',
      ),
      ['low | http://a.test/1', 'low | http://a.test/2'],
    ],
    [
      'Trivy before schema 2',
      [
        { Target: 'alpine:3.10 (alpine 3.10.2)', Type: 'alpine', Vulnerabilities: [VULNERABILITY] },
        { Target: 'Gemfile.lock', Type: 'bundler', Vulnerabilities: null },
      ],
      ['high | alpine:3.10 (alpine 3.10.2)'],
    ],
    ['Trivy of a cluster', { ClusterName: 'k', Resources: [resource()] }, ['high | d/Pod/w']],
    ['Trivy of a cluster, in short', { ClusterName: 'k', Findings: [resource()] }, ['high | d/Pod/w']],
    [
      'Trivy of a cluster, first versions',
      { ClusterName: 'k', Vulnerabilities: [resource()], Misconfigurations: [resource(misconfigured)] },
      ['high | d/Pod/w', 'low | d/Pod/w Pod/w'],
    ],
    [
      'Trivy of an SBOM',
      {
        SchemaVersion: 2,
        ArtifactName: 'bom.json',
        ArtifactType: 'cyclonedx',
        Results: [{ Target: 'Java', Class: 'lang-pkgs', Type: 'jar', Vulnerabilities: [VULNERABILITY] }],
      },
      ['high | bom.json'],
    ],
    [
      'Trivy with what VEX took back',
      {
        SchemaVersion: 2,
        ArtifactName: 'i',
        ArtifactType: 'container_image',
        Results: [
          {
            Target: 'i',
            Class: 'os-pkgs',
            Type: 'alpine',
            ExperimentalModifiedFindings: [{ Type: 'vulnerability', Status: 'not_affected', Finding: VULNERABILITY }],
          },
        ],
      },
      [],
    ],
    [
      'OpenVAS in an answer',
      `<get_reports_response status="200" status_text="OK">${openvas(ovResult('<threat>High</threat><severity>7.5</severity>'))}</get_reports_response>`,
      ['high | 10.0.0.5 443/tcp'],
    ],
    [
      'OpenVAS, false positive',
      openvas(
        ovResult(
          '<threat>False Positive</threat><severity>-1.0</severity><original_threat>High</original_threat><original_severity>7.5</original_severity>',
        ),
      ),
      ['high | 10.0.0.5 443/tcp | false positive by an override'],
    ],
    ['OpenVAS, log', openvas(ovResult('<threat>Log</threat><severity>0.0</severity>')), ['info | 10.0.0.5 443/tcp']],
    ['OpenVAS, log without a number', openvas(ovResult('<threat>Log</threat>')), ['info | 10.0.0.5 443/tcp']],
    ['OpenVAS, debug by number alone', openvas(ovResult('<severity>-2.0</severity>')), ['info | 10.0.0.5 443/tcp']],
    ['OpenVAS, error by number alone', openvas(ovResult('<severity>-3.0</severity>')), ['info | 10.0.0.5 443/tcp']],
    ['OpenVAS, no number', openvas(ovResult('<severity>-99.0</severity>')), ['medium | 10.0.0.5 443/tcp']],
    [
      'OpenVAS, what is gone and new',
      openvas(
        ovResult('<severity>5.0</severity><delta>gone</delta>') +
          ovResult('<severity>5.0</severity><delta>new</delta>'),
      ),
      [
        'medium | 10.0.0.5 443/tcp | baseline: absent (delta report)',
        'medium | 10.0.0.5 443/tcp | baseline: new (delta report)',
      ],
    ],
    [
      'SARIF kinds that are no failure',
      sarif({ results: ['pass', 'open', 'informational', 'notApplicable', 'review'].map((kind) => result({ kind })) }),
      ['pass', 'open', 'informational', 'notApplicable', 'review'].map((kind) => `info | a.c | kind: ${kind}`),
    ],
    [
      'SARIF kinds that are one, or unknown',
      sarif({ results: [result({ kind: 'fail' }), result({ kind: 'odd' })] }),
      ['high | a.c', 'high | a.c | kind: unknown'],
    ],
    [
      'SARIF rules of an extension',
      sarif({
        tool: {
          driver: { name: 'CodeQL' },
          extensions: [{ name: 'js', rules: [{ id: 'x', properties: { 'security-severity': '9.8' } }] }],
        },
        results: [result({ ruleId: 'x', rule: { index: 0, toolComponent: { index: 0 } } })],
      }),
      ['critical | a.c'],
    ],
    [
      'nmap over IPv6',
      nmap(nmapHost(`<ports>${nmapPort(22, 'tcp')}</ports>`, 'fe80::1', 'ipv6')),
      ['info | fe80::1 22/tcp'],
    ],
    [
      'nmap over UDP and SCTP',
      nmap(
        nmapHost(
          `<ports><extraports state="open|filtered" count="9"/>${nmapPort(53, 'udp')}${nmapPort(161, 'udp', 'open|filtered')}${nmapPort(36412, 'sctp')}</ports>`,
        ),
      ),
      ['info | 10.0.0.1 53/udp', 'info | 10.0.0.1 36412/sctp'],
    ],
    [
      'nmap with progress and hints',
      nmap(
        `<taskbegin task="x" time="1"/><taskprogress task="x" time="1" percent="3.2" remaining="5" etc="1"/><hosthint><status state="up"/><address addr="10.0.0.9" addrtype="ipv4"/></hosthint>${nmapHost(`<ports>${nmapPort(22, 'tcp')}</ports>`)}`,
      ),
      ['info | 10.0.0.1 22/tcp'],
    ],
    [
      'nmap that failed',
      nmap(
        nmapHost(`<ports>${nmapPort(22, 'tcp')}</ports>`),
        '<runstats><finished exit="error" errormsg="x"/></runstats></nmaprun>',
      ),
      ['info | 10.0.0.1 22/tcp'],
    ],
    [
      'nmap scripts of a host',
      nmap(nmapHost('<hostscript><script id="smb-os-discovery" output="x"/></hostscript>')),
      ['info | 10.0.0.1'],
    ],
    ['a byte order mark before XML', `\uFEFF${nmapOpen}`, ['info | 10.0.0.1 22/tcp']],
    ['a byte order mark before JSON', `\uFEFF${JSON.stringify(sarif({ results: [result()] }))}`, ['high | a.c']],
  ])('%s: each item is one finding', async (_, report, expected) => {
    expect(await told(report)).toEqual(expected);
  });

  it.each<readonly [string, string, RegExp]>([
    ['nmap that was aborted', nmapOpen.slice(0, nmapOpen.indexOf('<runstats>')), /ends in its middle at line \d+/],
    ['an answer that says no', '<get_reports_response status="404" status_text="no"/>', /failed at line \d+/],
    [
      'an answer in another format',
      '<get_reports_response status="200"><report content_type="application/pdf">JVBERi0=</report></get_reports_response>',
      /no scan in it at line \d+/,
    ],
    [
      'another encoding',
      zapXml('2.9.0', '').replace('?>', ' encoding="ISO-8859-1"?>'),
      /encoding ISO-8859-1.* at line \d+/,
    ],
    [
      'SARIF of version 1',
      JSON.stringify({ version: '1.0.0', runs: [{ tool: { name: 't' }, results: [] }] }),
      /of version 1\.0; convert/,
    ],
    [
      'SARIF of version 2.0',
      JSON.stringify({ version: '2.0.0-csd.2', runs: [{ tool: { name: 't' }, results: [result()] }] }),
      /of version 2\.0; convert/,
    ],
    [
      'SARIF with results elsewhere in the file',
      JSON.stringify({ ...sarif({ results: [] }), inlineExternalProperties: [{ results: [result()] }] }),
      /inlineExternalProperties at byte \d+/,
    ],
  ])('%s: refused with the reason', async (_, report, message) => {
    const { error } = await heard(report);
    expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringMatching(message) });
  });

  it.each(['utf16le', 'UTF-16 without its mark'])(
    'in %s are refused, whether or not their format is named',
    async (kind) => {
      const mark = kind === 'utf16le' ? Buffer.from([0xff, 0xfe]) : Buffer.alloc(0);
      for (const text of [
        nmapOpen,
        openvas(''),
        zapXml('2.9.0', ''),
        JSON.stringify(NUCLEI),
        JSON.stringify(zap([])),
      ]) {
        const bytes = Buffer.concat([mark, Buffer.from(text, 'utf16le')]);
        await expect(heard(bytes)).rejects.toMatchObject({ message: expect.stringMatching(/UTF-16/) });
        const named = REPORT_FORMATS.find((format) => format.detect(Buffer.from(text)));
        if (!named) throw new Error('no format');
        const { error } = await heardFrom(named, bytes);
        expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringMatching(/UTF-16/) });
      }
    },
  );

  it('say what was not looked at', async () => {
    const { events: cluster } = await heard({ ClusterName: 'k', Resources: [resource({ Error: 'timed out' })] });
    expect(placesIn(cluster)).toEqual([{ place: 'd/Pod/w', status: 'not_tested', reason: 'Trivy could not scan it.' }]);
    const { events: list } = await heard(nmap(nmapHost('', '10.0.0.1', 'ipv4', 'unknown')));
    expect(placesIn(list)).toMatchObject([
      { status: 'not_tested', reason: 'The host was listed, and nothing was sent to it.' },
    ]);
  });

  it.each([
    [
      'results in other files',
      { externalPropertyFileReferences: { results: [{ location: { uri: 'x' } }] }, results: [] },
    ],
    ['no list of results', {}],
  ])('of SARIF with %s prove no look', async (_, run) => {
    const artifacts = [{ location: { uri: 'a.c' }, roles: ['analysisTarget'] }];
    const { events } = await heard(sarif({ artifacts, ...run }));
    expect([placesIn(events), hasEnd(events)]).toEqual([[], false]);
    const { events: whole } = await heard(sarif({ artifacts, results: [] }));
    expect([placesIn(whole), hasEnd(whole)]).toEqual([[{ place: 'a.c', status: 'tested' }], true]);
  });
});
