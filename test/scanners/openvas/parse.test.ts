import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParsedFinding } from '../../../src/model/finding.ts';
import { openvasFormat } from '../../../src/scanners/openvas/format.ts';
import { eventsOf, findingsIn, hasEnd, heardFrom, placesIn } from '../reading.ts';

const read = (report: string) => eventsOf(openvasFormat, report);

const inner = (content: string, { status = 'Done', extra = '' } = {}): string =>
  `<report id="b"><gmp><version>22.7</version></gmp><scan_run_status>${status}</scan_run_status>` +
  `<scan_start>2026-11-20T10:00:00Z</scan_start>${extra}<results start="1" max="-1">${content}</results>` +
  `<scan_end>2026-11-20T11:00:00Z</scan_end></report>`;

const exported = (content: string, options: { status?: string; extra?: string } = {}): string =>
  `<report id="a" format_id="f" extension="xml"><owner><name>o</name></owner><name>weekly</name>${inner(content, options)}</report>`;

const result = (over: string, nvt = ''): string =>
  `<result id="r"><name>n</name><host>192.0.2.1<asset asset_id="x"/><hostname>shop.test</hostname></host>` +
  `<port>443/tcp</port><nvt oid="1.3.6.1.4.1.25623.1.0.108031"><type>nvt</type><name>Weak ciphers</name>` +
  `<family>SSL and TLS</family>${nvt}</nvt>${over}</result>`;

const one = async (over: string, nvt = '') => findingsIn(await read(exported(result(over, nvt))))[0];

describe('a report of OpenVAS', () => {
  it('gives one finding per result, with what its check says', async () => {
    const nvt =
      '<cvss_base>7.5</cvss_base><severities score="7.5"><severity type="cvss_base_v3"><origin/><score>7.5</score>' +
      '<value>CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</value></severity></severities>' +
      '<tags>cvss_base_vector=AV:N/AC:L/Au:N/C:P/I:N/A:N|summary=Reports\n   weak ciphers.|insight=a | b|affected=</tags>' +
      '<solution type="Mitigation">Turn them\n off.</solution>' +
      '<refs><ref type="cve" id="CVE-2016-2183"/><ref type="cwe" id="327"/><ref type="url" id="https://sweet32.info"/>' +
      '<ref type="cert-bund" id="CB-K21/1094"/></refs>' +
      '<epss><max_severity><score>0.1</score></max_severity><max_epss><score>0.42</score></max_epss></epss>';
    const over =
      '<threat>High</threat><severity>7.5</severity><qod><value>98</value></qod><description>3DES</description>';
    expect(await one(over, nvt)).toMatchObject({
      rule_id: '1.3.6.1.4.1.25623.1.0.108031',
      rule_family: 'SSL and TLS',
      title: 'Weak ciphers',
      severity: 'high',
      severity_source: 'cvss',
      severity_rated: true,
      confidence: 'certain',
      description: 'Reports weak ciphers. a | b',
      solution: 'Turn them off.',
      references: ['https://sweet32.info', 'cert-bund: CB-K21/1094'],
      cvss: [{ version: '3.1', score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N' }],
      cves: ['CVE-2016-2183'],
      cwes: ['CWE-327'],
      epss: 0.42,
      location: { ip: '192.0.2.1', port: 443, protocol: 'tcp' },
      untrusted: { output: '3DES', banner: 'Host name: shop.test' },
    });
  });

  it.each([
    ['<severity>10.0</severity><threat>High</threat>', 'critical', 'cvss'],
    ['<severity>9.0</severity>', 'critical', 'cvss'],
    ['<severity>8.9</severity>', 'high', 'cvss'],
    ['<severity>6.9</severity>', 'medium', 'cvss'],
    ['<severity>0.1</severity>', 'low', 'cvss'],
    ['<severity>0.0</severity><threat>Log</threat>', 'info', 'engine'],
    ['<threat>Medium</threat>', 'medium', 'engine'],
    ['<threat>Alarm</threat>', 'high', 'engine'],
    ['<severity>-3.0</severity><threat>Error</threat>', 'info', 'engine'],
    ['<severity>11</severity><threat>odd</threat>', 'medium', 'default'],
  ])('rates %s as %s', async (over, severity, severity_source) => {
    expect(await one(over)).toMatchObject({ severity, severity_source, severity_rated: severity_source !== 'default' });
  });

  it('says what an override decided, and keeps the severity of what it calls a false positive', async () => {
    const why = '<overrides><override><active>1</active><text>by hand</text></override></overrides>';
    const before = '<original_threat>High</original_threat><original_severity>7.2</original_severity>';
    expect(await one(`<threat>False Positive</threat><severity>-1.0</severity>${before}${why}`)).toMatchObject({
      severity: 'high',
      report_state: 'false positive by an override: by hand',
    });
    expect(await one(`<threat>Low</threat><severity>2.0</severity>${before}`)).toMatchObject({
      severity: 'low',
      report_state: 'severity 7.2 changed to 2.0 by an override',
    });
    expect((await one(`<threat>High</threat><severity>7.2</severity>${before}`))?.report_state).toBeUndefined();
  });

  it('reads the scores of old versions: a vector among the tags, lists in text, tenths', async () => {
    const old =
      '<cvss_base>5.0</cvss_base><cve>CVE-2011-9999, cve-2012-10000</cve><bid>12345, 678</bid>' +
      '<xref>URL:http://a.test/x, CWE-79</xref><cert><cert_ref type="DFN-CERT" id="DFN-1"/></cert>' +
      '<tags>cvss_base_vector=AV:N/AC:M/Au:N/C:N/I:P/A:P|solution=Update.</tags>';
    expect(await one('<severity>5.0</severity>', old)).toMatchObject({
      cvss: [{ version: '2.0', score: 5, vector: 'AV:N/AC:M/Au:N/C:N/I:P/A:P' }],
      cves: ['CVE-2011-9999', 'CVE-2012-10000'],
      cwes: ['CWE-79'],
      solution: 'Update.',
      references: ['dfn-cert: DFN-1', 'bid: 12345', 'bid: 678', 'http://a.test/x'],
    });
    const tenths = (base: string, score: string) =>
      `<cvss_base>${base}</cvss_base><severities><severity type="cvss_base_v2"><score>${score}</score></severity></severities>`;
    expect((await one('', tenths('5.0', '50')))?.cvss).toEqual([{ version: '2.0', score: 5 }]);
    expect((await one('', tenths('1.0', '10')))?.cvss).toEqual([{ version: '2.0', score: 1 }]);
    expect((await one('', tenths('10.0', '10.0')))?.cvss).toEqual([{ version: '2.0', score: 10 }]);
  });

  it.each([
    ['443/tcp', { port: 443, protocol: 'tcp' }],
    ['general/tcp', { protocol: 'tcp' }],
    ['general/CPE-T', {}],
    ['https (443/tcp)', { port: 443, protocol: 'tcp', service: 'https' }],
    ['99999/tcp', { protocol: 'tcp' }],
    ['', {}],
  ])('reads the port %s', async (port, place) => {
    const text = exported(`<result><host>\n 192.0.2.1 \n<asset/></host><port>${port}</port><nvt oid="1.2"/></result>`);
    expect(findingsIn(await read(text))[0]?.location).toEqual({ ip: '192.0.2.1', ...place });
  });

  it('counts only results of the scan, not those that a result refers to', async () => {
    const detection =
      '<detection><result id="x"><details><detail><name>a</name></detail></details></result></detection>';
    expect(
      findingsIn(await read(exported(result(detection) + result('<details><result id="y"/></details>')))),
    ).toHaveLength(2);
  });

  it('tells results of the scanner itself apart by name', async () => {
    const text = exported('<result><name>a</name><nvt oid="0"/></result><result><name>b</name><nvt oid="0"/></result>');
    const rules = findingsIn(await read(text)).map(({ rule_id }) => rule_id);
    expect(new Set(rules).size).toBe(2);
    expect(rules.every((rule) => /^openvas:[0-9a-f]{12}$/.test(rule))).toBe(true);
  });

  it('takes a CVE that stands for a check as its CVE', async () => {
    const text = exported(
      '<result><nvt oid="CVE-2021-44228"><type>cve</type><name>CVE-2021-44228</name></nvt></result>',
    );
    expect(findingsIn(await read(text))[0]).toMatchObject({ rule_id: 'CVE-2021-44228', cves: ['CVE-2021-44228'] });
  });

  it('reads the outcome of an audit item', async () => {
    expect((await one('<compliance>no</compliance>'))?.compliance).toBe('failed');
    expect((await one('<compliance>undefined</compliance>'))?.compliance).toBeUndefined();
  });

  it('calls a host tested when its end is there, also without results, and says how far a login came', async () => {
    const host = (ip: string, more: string): string => `<host><ip>${ip}</ip><start>s</start>${more}</host>`;
    const detail = (name: string): string => `<detail><name>${name}</name><value>v</value></detail>`;
    const hosts =
      host('192.0.2.1', '<end>e</end>') +
      host('192.0.2.2', '<end/>') +
      host('192.0.2.3', `<end>e</end>${detail('Auth-SSH-Success')}`) +
      host('192.0.2.4', `<end>e</end>${detail('Auth-SSH-Failure')}${detail('Auth-SMB-Success')}`);
    expect(placesIn(await read(exported('', { extra: hosts })))).toMatchObject([
      { place: '192.0.2.1', status: 'tested' },
      { place: '192.0.2.2', status: 'partial' },
      { place: '192.0.2.3', status: 'tested', login: 'success' },
      { place: '192.0.2.4', status: 'tested', login: 'partial' },
    ]);
  });

  it('makes a host with errors partial, and one with nothing else unreachable', async () => {
    const error = (ip: string): string =>
      `<error><host>${ip}<asset/></host><port>general/tcp</port><description>timeout</description></error>`;
    const extra = `<host><ip>192.0.2.1</ip><end>e</end></host><errors><count>2</count>${error('192.0.2.1')}${error('192.0.2.9')}</errors>`;
    expect(placesIn(await read(exported('', { extra })))).toMatchObject([
      { place: '192.0.2.1', status: 'tested' },
      { place: '192.0.2.1', status: 'partial' },
      { place: '192.0.2.9', status: 'unreachable' },
    ]);
  });

  it.each([
    ['a scan that was done', exported(''), true],
    ['a scan that was stopped', exported('', { status: 'Stopped' }), false],
    ['a scan that was interrupted', exported('', { status: 'Interrupted' }), false],
    [
      'one page of the results',
      exported('', { extra: '<result_count>9<full>9</full><filtered>9</filtered></result_count>' }),
      false,
    ],
    ['an answer of GMP', `<get_reports_response status="200">${exported('')}</get_reports_response>`, true],
    ['results without their scan', `<get_results_response status="200">${result('')}</get_results_response>`, false],
    ['a report that is not wrapped', inner(''), true],
  ])('ends whole or not: %s', async (_what, text, isWhole) => {
    expect(hasEnd(await read(text))).toBe(isWhole);
  });

  it('says who made it and when, and what its filter left out', async () => {
    const extra = '<filters><term>apply_overrides=0 levels=hml rows=-1 min_qod=70</term></filters>';
    const events = await read(exported(result(''), { extra }));
    expect(events.find(({ kind }) => kind === 'source')).toEqual({
      kind: 'source',
      source: {
        tool: 'Greenbone (OpenVAS)',
        version: 'GMP 22.7',
        title: 'weekly',
        startedAt: Date.UTC(2026, 10, 20, 10),
        finishedAt: Date.UTC(2026, 10, 20, 11),
      },
    });
    const checks = events.flatMap((event) => (event.kind === 'checks' ? event.notLookedFor : []));
    expect(checks).toEqual([
      'results of severities other than hml: the filter of the report leaves them out',
      'results with a quality of detection below 70 %: the filter of the report leaves them out',
    ]);
  });

  it.each([
    ['another root', '<scan/>', /root element/],
    ['an answer that is an error', '<get_reports_response status="404" status_text="x"/>', /request that failed/],
    ['a PDF in XML', '<report id="a" format_id="f" content_type="application/pdf">JVBERi0xLjQ=</report>', /no scan/],
    ['the middle of a result', exported(result('')).slice(0, -150), /end too early/],
    ['an internal subset', `<!DOCTYPE report [<!ENTITY a "b">]>${exported('')}`, /document type/],
  ])('refuses %s', async (_what, text, why) => {
    expect((await heardFrom(openvasFormat, text)).error).toMatchObject({ code: 'report_unreadable', message: why });
  });

  it('keeps what was whole of a report that was cut', async () => {
    const { events } = await heardFrom(openvasFormat, exported(result('') + result('')).slice(0, -150));
    expect(findingsIn(events)).toHaveLength(1);
    expect(hasEnd(events)).toBe(false);
  });

  it('gives as many findings as there are results, whatever they hold', async () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .map((words) => words.replace(/[<&>\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '_'));
    const names = [
      'host',
      'port',
      'threat',
      'severity',
      'description',
      'qod',
      'original_severity',
      'compliance',
      'odd',
    ];
    const leaf = fc.tuple(fc.constantFrom(...names), text).map(([name, words]) => `<${name}>${words}</${name}>`);
    const nvtNames = ['name', 'family', 'cvss_base', 'tags', 'refs', 'severities', 'epss', 'cve', 'solution'];
    const nvt = fc.array(
      fc.tuple(fc.constantFrom(...nvtNames), text).map(([name, words]) => `<${name}>${words}</${name}>`),
    );
    const results = fc.array(
      fc
        .tuple(fc.array(leaf, { maxLength: 6 }), nvt)
        .map(([leaves, facts]) => `<result>${leaves.join('')}<nvt oid="1">${facts.join('')}</nvt></result>`),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(results, async (items) => {
        const findings = findingsIn(await read(exported(items.join(''))));
        expect(findings).toHaveLength(items.length);
        for (const finding of findings) expect(ParsedFinding.parse(finding)).toEqual(finding);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the head of a file', () => {
  it.each([
    [exported(''), true],
    [exported('').slice(0, 90), true],
    ['<report id="a"><owner><name>o</name></owner><name>weekly', false],
    [inner('').slice(0, 60), true],
    ['<report><title>gmp</title><!-- <gmp> --></report>', false],
    ['<get_reports_response status="200">', true],
    ['{"report":"<gmp>"}', false],
    ['<nmaprun><gmp/></nmaprun>', false],
  ])('is told by its elements: %s', (text, isOurs) => {
    expect(openvasFormat.detect(Buffer.from(text))).toBe(isOurs);
  });
});
