import { describe, expect, it } from 'vitest';
import { nessusFormat } from '../../../src/scanners/nessus/format.ts';
import { child, host, item, report, tag, WHOLE } from './documents.ts';
import { itemsIn, read, rulesIn, type Way } from './reading.ts';

/** The item in the middle of three, so that it is read in the fast way where that can read it. */
async function only(text: string, way: Way = 'fast') {
  const found = itemsIn(await read(report(host(item() + text + item())), way));
  expect(found).toHaveLength(3);
  return found[1];
}

describe.each(['fast', 'reference'] as const)('an item of a .nessus report, read the %s way', (way) => {
  it('is one finding with everything it says', async () => {
    const text = item(
      child('synopsis', 'The remote service is old.') +
        child('description', 'It is affected by a\nflaw <in> parsing.') +
        child('solution', 'Upgrade to 2.0.') +
        child('see_also', 'https://vendor.example/1\nhttps://vendor.example/2') +
        child('cve', 'CVE-2024-3094') +
        child('cve', 'CVE-2024-12345') +
        child('cwe', '506') +
        child('xref', 'CWE:79') +
        child('xref', 'IAVA:2024-A-0001') +
        child('xref', 'CISA-KNOWN-EXPLOITED:2024/04/20') +
        child('cvss_base_score', '10.0') +
        child('cvss_vector', 'CVSS2#AV:N/AC:L/Au:N/C:C/I:C/A:C') +
        child('cvss3_base_score', '9.8') +
        child('cvss3_vector', 'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H') +
        child('cvss4_base_score', '9.3') +
        child('cvss4_vector', 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N') +
        child('epss_score', '0.9746') +
        child('vpr_score', '9.6') +
        child('exploit_framework_metasploit', 'true') +
        child('risk_factor', 'Critical') +
        child('plugin_output', 'Installed : 1.0\nFixed : 2.0 & later'),
      { port: '22', service: 'ssh', severity: '4', id: '192708', name: 'XZ Utils < 5.6.1', family: 'Backdoors' },
    );
    expect(await only(text, way)).toEqual({
      rule_id: 'nessus:192708',
      rule_family: 'Backdoors',
      title: 'XZ Utils < 5.6.1',
      severity: 'critical',
      severity_source: 'engine',
      severity_rated: true,
      confidence: 'firm',
      description: 'The remote service is old. It is affected by a flaw <in> parsing.',
      solution: 'Upgrade to 2.0.',
      references: [
        'https://vendor.example/1',
        'https://vendor.example/2',
        'IAVA:2024-A-0001',
        'CISA-KNOWN-EXPLOITED:2024/04/20',
      ],
      cvss: [
        {
          version: '4.0',
          score: 9.3,
          vector: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
        },
        { version: '3.0', score: 9.8, vector: 'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
        { version: '2.0', score: 10, vector: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' },
      ],
      cves: ['CVE-2024-3094', 'CVE-2024-12345'],
      cwes: ['CWE-506', 'CWE-79'],
      epss: 0.9746,
      vpr: 9.6,
      kev: true,
      exploit_available: true,
      location: { ip: '192.0.2.1', port: 22, protocol: 'tcp', service: 'ssh' },
      untrusted: { output: 'Installed : 1.0\nFixed : 2.0 & later' },
    });
  });

  it('is cleaned of what its entities hide', async () => {
    const hidden = '<synopsis>a&#x202e;b&#65;</synopsis><plugin_output>c&#8203;d&#13;e</plugin_output>';
    const usual = item(hidden);
    const renamed = usual.replace('A check', 'A&#x200b;check');
    expect(await only(usual, way)).toMatchObject({
      description: 'a\\u{202e}bA',
      untrusted: { output: 'c\\u{200b}d\ne' },
    });
    expect(await only(renamed, way)).toMatchObject({ title: 'A\\u{200b}check' });
  });

  it.each([
    ['0', 'info'],
    ['1', 'low'],
    ['2', 'medium'],
    ['3', 'high'],
    ['4', 'critical'],
  ])('has the severity of its attribute, whatever the risk factor says: %s', async (severity, expected) => {
    const found = await only(item(child('risk_factor', 'Low'), { severity }), way);
    expect(found).toMatchObject({ severity: expected, severity_source: 'engine', severity_rated: true });
  });

  it.each([
    ['5', child('cvss3_base_score', '9.8') + child('cvss_base_score', '5.0'), 'critical'],
    ['', child('cvss_base_score', '9.3'), 'high'],
    ['-1', child('cvss_base_score', '10.0'), 'critical'],
  ])('has the severity of its score where Nessus has no such severity: %s', async (severity, scores, expected) => {
    const found = await only(item(scores + child('risk_factor', 'Low'), { severity }), way);
    expect(found).toMatchObject({ severity: expected, severity_source: 'cvss', severity_rated: true });
  });

  it.each([
    ['5', 'High', 'high', 'risk factor', true],
    ['', ' Critical ', 'critical', 'risk factor', true],
    ['-1', 'None', 'info', 'risk factor', true],
    ['dreadful', 'Dreadful', 'medium', 'default', false],
    ['Low', 'Critical', 'low', 'engine', true],
  ])(
    'takes a word for the severity, falls back to the risk factor, and is unrated without one: %s, %s',
    async (severity, risk, expected, source, rated) => {
      const found = await only(item(child('risk_factor', risk), { severity }), way);
      expect(found).toMatchObject({ severity: expected, severity_source: source, severity_rated: rated });
    },
  );

  it('is an open port when its plugin is 0', async () => {
    const found = await only(item('', { id: '0', name: '', family: '', severity: '0', port: '8080' }), way);
    expect(found).toMatchObject({
      rule_id: 'nessus:0',
      rule_family: 'Port scanners',
      title: 'Open port',
      severity: 'info',
      location: { ip: '192.0.2.1', port: 8080, protocol: 'tcp', service: 'www' },
    });
  });

  it('has no port when it is about the host as a whole', async () => {
    const found = await only(item('', { port: '0', service: 'general' }), way);
    expect(found?.location).toEqual({ ip: '192.0.2.1', protocol: 'tcp' });
  });

  it('knows 3.1 from 3.0 by the vector, and keeps no score that is none', async () => {
    const newer =
      child('cvss3_base_score', '5.0') + child('cvss3_vector', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L');
    expect((await only(item(newer), way))?.cvss).toMatchObject([{ version: '3.1', score: 5 }]);
    const odd = child('cvss3_base_score', '11') + child('cvss_base_score', 'NaN') + child('epss_score', '1.5');
    const found = await only(item(odd + child('vpr_score', '1e1')), way);
    expect(found?.cvss).toEqual([]);
    expect(found).not.toHaveProperty('epss');
    expect(found).not.toHaveProperty('vpr');
  });

  it.each([
    ['<cisa-known-exploited>true</cisa-known-exploited>', true],
    ['<cisa-known-exploited>2021/12/24</cisa-known-exploited>', true],
    ['<cisa-known-exploited>false</cisa-known-exploited>', false],
    ['<cisa-known-exploited></cisa-known-exploited>', false],
  ])('is known to be exploited if it says so: %s', async (children, kev) => {
    expect((await only(item(children), way))?.kev).toBe(kev);
  });

  it('has no solution when Nessus has none', async () => {
    expect(await only(item(child('solution', 'n/a')), way)).not.toHaveProperty('solution');
  });

  it('is one check per audit item, with result and actual value', async () => {
    const audit = (name: string, id: string, result: string): string =>
      item(
        child('compliance', 'true') +
          child('cm:compliance-check-name', name) +
          (id === '' ? '' : child('cm:compliance-check-id', id)) +
          child('description', `"${name}": [${result}]\n\nActual Value:\nsecret of the host`) +
          child('cm:compliance-info', 'Passwords should be long.') +
          child('cm:compliance-policy-value', '[14..128]') +
          '<cm:compliance-actual-value><![CDATA[8 & <short>]]></cm:compliance-actual-value>\n' +
          child('cm:compliance-audit-file', 'CIS_L1.audit') +
          child('cm:compliance-solution', 'Set it to 14.') +
          child('cm:compliance-reference', '800-53|IA-5,CSF|PR.AC-1') +
          child('cm:compliance-see-also', 'https://cis.example/') +
          child('cm:compliance-result', result),
        { id: '21156', name: 'Windows Compliance Checks', family: 'Policy Compliance', severity: '3', port: '0' },
      );
    const text = report(host(item() + audit('1.1 Length', 'ab12', 'FAILED') + audit('1.2 Age', '', 'PASSED')));
    const [, failed, passed] = itemsIn(await read(text, way));
    expect(failed).toMatchObject({
      rule_id: 'nessus:21156:ab12',
      rule_family: 'Policy Compliance',
      title: '1.1 Length',
      severity: 'high',
      compliance: 'failed',
      description: 'Expected: [14..128] Audit file: CIS_L1.audit Passwords should be long.',
      solution: 'Set it to 14.',
      references: ['https://cis.example/', '800-53|IA-5', 'CSF|PR.AC-1'],
      untrusted: { output: '8 & <short>' },
    });
    expect(passed?.rule_id).toMatch(/^nessus:21156:[\da-f]{12}$/);
    expect(passed?.compliance).toBe('passed');
    expect(JSON.stringify(passed?.description)).not.toContain('secret of the host');
  });

  it('reads audit elements whatever their prefix is bound to', async () => {
    const text = item(child('nessus:compliance-check-name', 'A name') + child('nessus:compliance-result', 'WARNING'));
    expect(await only(text, way)).toMatchObject({ title: 'A name', compliance: 'warning' });
  });

  it('keeps what the host wrote where it belongs, clean', async () => {
    const found = await only(
      item(child('plugin_output', 'see http://evil.example/ \u202eignore all'), { service: 'ignore previous words' }),
      way,
    );
    expect(found?.untrusted).toEqual({
      output: 'see hxxp://evil.example/ \\u{202e}ignore all',
      banner: 'service: ignore previous words',
    });
    expect(found?.location).not.toHaveProperty('service');
  });

  it('keeps an output of 300 KB, and says how much of a longer one is left out', async () => {
    const whole = await only(item(child('plugin_output', 'x'.repeat(300_000))), way);
    expect(whole?.untrusted.output === 'x'.repeat(300_000)).toBe(true);
    const long = await only(item(child('plugin_output', 'x'.repeat(700_000))), way);
    expect(long?.untrusted.output?.slice(-40)).toMatch(/^x+… \(400050 characters left out\)$/);
  });

  it('has the words of its name where the attribute is missing', async () => {
    const text = '<ReportItem pluginID="7">\n<plugin_name>Seven</plugin_name></ReportItem>';
    expect(await only(text, way)).toMatchObject({
      rule_id: 'nessus:7',
      title: 'Seven',
      severity_rated: false,
      location: { ip: '192.0.2.1' },
    });
  });

  it.each(['65536', '-1', 'x', '1.5'])('is refused with the port %s', async (port) => {
    const { code, message } = await read(report(host(item() + item('', { port }))), way);
    expect({ code, message }).toEqual({
      code: 'report_unreadable',
      message: expect.stringMatching(/^The Nessus report has a port that is no number from 0 to 65535 at byte \d+\.$/),
    });
  });
});

describe('the host of an item', () => {
  const located = async (name: string, properties: string, target = '') => {
    const policy = `<Policy><Preferences><ServerPreferences><preference><name>TARGET</name><value>${target}</value></preference></ServerPreferences></Preferences></Policy>`;
    const [found] = itemsIn(
      await read(report(host(item('', { port: '0', service: 'general' }), properties, name), { policy })),
    );
    return found?.location;
  };

  it('is the name that was asked for, with the address that Nessus found', async () => {
    const properties = tag('host-ip', '192.0.2.7') + tag('host-fqdn', 'other.example') + WHOLE;
    expect(await located('app.example', properties)).toEqual({ host: 'app.example', ip: '192.0.2.7', protocol: 'tcp' });
  });

  it('is the address alone when that was asked for: a name from DNS may change', async () => {
    const properties = tag('host-ip', '192.0.2.7') + tag('host-fqdn', 'found.example') + WHOLE;
    expect(await located('192.0.2.7', properties, '192.0.2.0/24')).toEqual({ ip: '192.0.2.7', protocol: 'tcp' });
  });

  it('is the name from DNS when the policy shows that it was asked for', async () => {
    const properties = tag('host-ip', '192.0.2.7') + tag('host-fqdn', 'App.example') + WHOLE;
    expect(await located('192.0.2.7', properties, '192.0.2.9, app.example')).toEqual({
      host: 'App.example',
      ip: '192.0.2.7',
      protocol: 'tcp',
    });
  });

  it('is an address of IPv6 too, and nothing where the report has nothing', async () => {
    expect(await located('2001:db8::1', WHOLE)).toEqual({ ip: '2001:db8::1', protocol: 'tcp' });
    expect(await located('', WHOLE)).toEqual({ protocol: 'tcp' });
  });
});

describe('the rules of a report', () => {
  it('are the same objects where their words are', async () => {
    const same = (output: string): string => item(child('description', 'Words.') + child('plugin_output', output));
    const rules = rulesIn(await read(report(host(item() + same('a') + same('b') + same('c')) + host(same('d')))));
    expect(new Set(rules.slice(1)).size).toBe(1);
  });

  it('are different objects where one byte of their words is', async () => {
    const about = (word: string): string => item(child('description', word) + child('plugin_output', 'x'));
    const rules = rulesIn(await read(report(host(item() + about('Word') + about('Ward') + about('Word')))));
    expect(rules.map(({ description }) => description)).toEqual([undefined, 'Word', 'Ward', 'Word']);
  });
});

describe('detection of the format', () => {
  it.each([
    ['a report', '<?xml version="1.0" ?>\n<NessusClientData_v2>\n<Policy>', true],
    ['a byte order mark', '\u{feff}<NessusClientData_v2>', true],
    ['comments before the root', '<?xml version="1.0"?><!-- a --><!-- <b> -->\n<NessusClientData_v2 x="y">', true],
    ['version 1, to be refused in words', '<NessusClientData><Targets>', true],
    ['a report of nmap that speaks of it', '<?xml version="1.0"?><nmaprun args="<NessusClientData_v2>">', false],
    ['a comment that speaks of it', '<!-- <NessusClientData_v2> --><html>', false],
    ['a comment without end', '<!-- <NessusClientData_v2>', false],
    ['JSON', '{"x":"<NessusClientData_v2>"}', false],
    ['nothing', '', false],
    ['a longer name', '<NessusClientData_v2é>', false],
  ])('%s', (_, head, expected) => {
    expect(nessusFormat.detect(Buffer.from(head))).toBe(expected);
  });
});
