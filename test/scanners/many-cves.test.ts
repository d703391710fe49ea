import { describe, expect, it } from 'vitest';
import { MAX_CVES } from '../../src/model/finding.ts';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nessusFormat } from '../../src/scanners/nessus/format.ts';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { openvasFormat } from '../../src/scanners/openvas/format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { findingOf } from './report-events.ts';

const cvesTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `CVE-2020-${1_000 + n}`);
const each = (cves: readonly string[], text: (cve: string) => string): string => cves.map(text).join('');

const nmap = (script: string, tables: string) =>
  `<nmaprun scanner="nmap" args="nmap"><host><status state="up"/><address addr="127.0.0.1" addrtype="ipv4"/><hostscript><script id="${script}" output="x">${tables}</script></hostscript></host><runstats><finished exit="success"/></runstats></nmaprun>`;
const entry = (cve: string) => `<table><elem key="id">${cve}</elem><elem key="cvss">5.0</elem></table>`;

const REPORTS = [
  ['Nuclei', nucleiFormat, (cves) => ({ 'template-id': 'a', info: { classification: { 'cve-id': cves } } })],
  [
    'Nuclei, in one text',
    nucleiFormat,
    (cves) => ({ 'template-id': 'a', info: { classification: { 'cve-id': cves.join(',') } } }),
  ],
  [
    'Grype',
    grypeFormat,
    (cves) => ({
      matches: [
        {
          vulnerability: { id: 'ELSA-1' },
          relatedVulnerabilities: cves.map((id) => ({ id })),
          artifact: { name: 'a' },
        },
      ],
    }),
  ],
  [
    'SARIF',
    sarifFormat,
    (cves) => ({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 't', rules: [{ id: 'a', properties: { tags: cves } }] } },
          results: [{ ruleId: 'a' }],
        },
      ],
    }),
  ],
  [
    'OpenVAS',
    openvasFormat,
    (cves) =>
      `<report><gmp/><scan_run_status>Done</scan_run_status><results><result><name>n</name><nvt oid="1.2"><refs>${each(cves, (cve) => `<ref type="cve" id="${cve}"/>`)}</refs></nvt></result></results></report>`,
  ],
  [
    'Nessus',
    nessusFormat,
    (cves) =>
      `<NessusClientData_v2><Report name="r"><ReportHost name="127.0.0.1"><ReportItem port="0" svc_name="general" protocol="tcp" severity="2" pluginID="1" pluginName="n" pluginFamily="f">${each(cves, (cve) => `<cve>${cve}</cve>`)}</ReportItem></ReportHost></Report></NessusClientData_v2>`,
  ],
  [
    'nmap, vulns library',
    nmapFormat,
    (cves) =>
      nmap(
        'mine',
        `<table key="a"><elem key="title">t</elem><elem key="state">VULNERABLE</elem><table key="ids">${each(cves, (cve) => `<elem>CVE:${cve}</elem>`)}</table></table>`,
      ),
  ],
  ['nmap, vulners', nmapFormat, (cves) => nmap('vulners', `<table key="cpe:/a:b">${each(cves, entry)}</table>`)],
] as const satisfies readonly (readonly [string, Parameters<typeof findingOf>[0], (cves: string[]) => unknown])[];

describe('a finding that names many CVEs', () => {
  it.each(REPORTS)('of %s has all of them', async (_, format, report) => {
    const cves = cvesTo(MAX_CVES);
    const finding = await findingOf(format, report(cves));
    expect(finding.cves.toSorted()).toEqual(cves.toSorted());
    expect(finding.description ?? '').not.toMatch(/more CVEs/);
  });

  it.each(REPORTS)('of %s says how many of too many are left out', async (_, format, report) => {
    const finding = await findingOf(format, report(cvesTo(MAX_CVES + 7)));
    expect(finding.cves).toHaveLength(MAX_CVES);
    expect(finding.description).toMatch(
      new RegExp(`^The report names 7 more CVEs than the ${MAX_CVES} that are kept\\.`),
    );
  });
});
