import { describe, expect, it } from 'vitest';
import { nmapXml } from '../scans/nmap-xml.ts';
import { wire } from './wire.ts';

const sarif = (uri: string, physical: object = {}, result: object = {}): string =>
  JSON.stringify({
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 't' } },
        results: [
          {
            ruleId: 'r',
            message: { text: 'm' },
            locations: [{ physicalLocation: { artifactLocation: { uri }, ...physical } }],
            ...result,
          },
        ],
      },
    ],
  });
const grype = (userInput: string): string =>
  JSON.stringify({
    matches: [
      { vulnerability: { id: 'CVE-2024-1234', severity: 'High' }, artifact: { name: 'p', version: '1', type: 'deb' } },
    ],
    source: { type: 'image', target: { userInput } },
    descriptor: { name: 'grype', version: '1' },
  });
const nessus = (name: string, ip: string): string =>
  `<?xml version="1.0"?><NessusClientData_v2><Report name="r"><ReportHost name="${name}"><HostProperties><tag name="host-ip">${ip}</tag></HostProperties><ReportItem port="80" svc_name="www" protocol="tcp" severity="2" pluginID="1" pluginName="n" pluginFamily="f"><risk_factor>Medium</risk_factor></ReportItem></ReportHost></Report></NessusClientData_v2>`;
const nuclei = (url: string): string =>
  JSON.stringify({
    'template-id': 'x',
    info: { name: 'n', severity: 'high' },
    host: '127.0.0.1',
    ip: '127.0.0.1',
    'matched-at': url,
    type: 'http',
  });
const trivyRepository = JSON.stringify({
  SchemaVersion: 2,
  ArtifactName: 'https://code.test/app',
  ArtifactType: 'repository',
  Results: [{ Target: 'OS Packages', Class: 'license', Licenses: [{ Name: 'MIT', Severity: 'LOW' }] }],
});
const zoned = nmapXml([{ address: 'fe80::1%eth0', ports: [80] }]).replace('addrtype="ipv4"', 'addrtype="ipv6"');

describe('a report about a host out of scope', () => {
  it.each([
    ['an address with a zone', zoned],
    ['a URL of another scheme', sarif('tcp://10.1.1.1:80')],
    ['a URL without a scheme', sarif('//10.1.1.1/x')],
    [
      'a URL that was requested',
      sarif('https://10.1.1.1/x', { region: { startLine: 1 } }, { webRequest: { method: 'GET' } }),
    ],
    ['an image that is an address and a port', grype('169.254.169.254:80')],
    ['a host name that is another address', nessus('10.1.1.1', '127.0.0.1')],
    ['a URL of another host', nuclei('http://10.1.1.1/x')],
  ])('is refused when it is %s', async (_, content) => {
    const { fails, ok } = await wire();
    expect(await fails('import_report', { content })).toMatch(/^target_denied: /);
    expect(await ok('list_scans')).toMatchObject({ total: 0 });
  });

  it.each([
    ['a file', sarif('src/a.c')],
    ['a file on a code host', sarif('https://code.test/app/blob/main/a.c', { region: { startLine: 1 } })],
    ['a file at an address', sarif('https://10.1.1.1/app/a.c', { region: { startLine: 1 } })],
    ['a repository that was cloned', trivyRepository],
    ['an image with a tag', grype('alpine:3.18')],
    ['loopback', nessus('127.0.0.1', '127.0.0.1')],
    ['a URL on loopback', nuclei('http://127.0.0.1/x')],
  ])('is not one about %s', async (_, content) => {
    const { ok } = await wire();
    expect(await ok('import_report', { content })).toMatchObject({ total: 1 });
  });
});
