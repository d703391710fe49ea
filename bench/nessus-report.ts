import { closeSync, openSync, writeSync } from 'node:fs';
import { randomSeries } from '../src/simulators/nessus/report/words.ts';

export interface ReportShape {
  /** The file is as long as whole hosts make it, at least this. */
  readonly bytes: number;
  /** False: no two items share a word of their rule, as no real scan has it. */
  readonly rulesRepeat: boolean;
}

export interface Written {
  readonly bytes: number;
  readonly hosts: number;
  readonly items: number;
}

const RULES = 1_500;
const ITEMS_PER_HOST = 66;
const FLUSH_BYTES = 1 << 20;

const WORDS =
  `remote host service version installed prior affected vulnerability attacker unauthenticated arbitrary code
execute buffer overflow improper validation request crafted session certificate cipher protocol update vendor advisory patch
library module kernel package denial memory corruption information disclosure path upgrade configuration default`.split(
    /\s+/,
  );
const SERVICES = ['www', 'ssh', 'cifs', 'dns', 'general', 'msrdp', 'smtp', 'rpc-portmapper', 'unknown?'];
/** Some well-known ports and many high ones, as RPC services have them. */
const PORTS = Array.from({ length: 400 }, (_, index) => (index < 40 ? 20 + index * 11 : 49_000 + index * 17));
const FAMILIES = [
  'Windows',
  'Web Servers',
  'General',
  'Misc.',
  'CGI abuses',
  'Ubuntu Local Security Checks',
  'Service detection',
];
const RISKS = ['None', 'Low', 'Medium', 'High', 'Critical'];

/** Writes a `.nessus` report as Nessus would, host by host, so that any length takes the same memory. */
export function writeNessusReport(path: string, { bytes, rulesRepeat }: ReportShape): Written {
  const next = randomSeries(7);
  const below = (most: number): number => Math.floor(next() * most);
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? '';
  const words = (count: number): string => Array.from({ length: count }, () => pick(WORDS)).join(' ');
  const rules = Array.from({ length: RULES }, (_, index) => rule(index, words, below, pick));
  const file = openSync(path, 'w', 0o600);
  let held: string[] = [];
  let heldBytes = 0;
  let written = 0;
  const write = (text: string): void => {
    held.push(text);
    heldBytes += text.length;
    if (heldBytes >= FLUSH_BYTES) flush();
  };
  const flush = (): void => {
    written += writeSync(file, held.join(''));
    held = [];
    heldBytes = 0;
  };
  let hosts = 0;
  let items = 0;
  write(HEAD);
  while (written + heldBytes < bytes) {
    hosts += 1;
    write(hostHead(hosts, words));
    for (let count = 0; count < ITEMS_PER_HOST; count += 1) {
      items += 1;
      // Few checks report on nearly every host, most on few.
      const common = Math.floor(RULES * next() ** 2);
      const parts = rulesRepeat ? (rules[common] ?? ['', '']) : rule(RULES + items, words, below, pick);
      write(item(parts, words, below, pick));
    }
    for (const check of hosts % 12 === 0 ? AUDIT : []) {
      items += 1;
      write(auditItem(check, words, below));
    }
    write('</ReportHost>\n');
  }
  write('</Report>\n</NessusClientData_v2>\n');
  flush();
  closeSync(file);
  return { bytes: written, hosts, items };
}

const HEAD = `<?xml version="1.0" ?>
<NessusClientData_v2>
<Policy><policyName>Generated</policyName><Preferences><ServerPreferences>
<preference><name>TARGET</name><value>10.0.0.0/16</value></preference>
<preference><name>port_range</name><value>1-65535</value></preference>
<preference><name>network_scanners.syn</name><value>yes</value></preference>
</ServerPreferences></Preferences>
<FamilySelection>${FAMILIES.map((name) => `<FamilyItem><FamilyName>${name}</FamilyName><Status>enabled</Status></FamilyItem>`).join('\n')}
</FamilySelection></Policy>
<Report name="Generated scan" xmlns:cm="http://www.nessus.org/cm">
`;

function hostHead(number: number, words: (count: number) => string): string {
  const ip = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const tags = Array.from({ length: 18 }, (_, index) => `<tag name="patch-summary-txt-${index}">${words(8)}</tag>`);
  return `<ReportHost name="${ip}"><HostProperties>
<tag name="HOST_END">Mon Nov 16 11:40:48 2026</tag>
<tag name="Credentialed_Scan">${number % 3 === 0 ? 'true' : 'false'}</tag>
${tags.join('\n')}
<tag name="operating-system">Linux Kernel 6.1</tag>
<tag name="host-ip">${ip}</tag>
<tag name="host-fqdn">host-${number}.example.test</tag>
<tag name="HOST_START">Mon Nov 16 11:33:11 2026</tag>
</HostProperties>
`;
}

type Below = (most: number) => number;
type Pick = (from: readonly string[]) => string;
type Words = (count: number) => string;

/** What stands before and behind the output of a plugin. */
function rule(index: number, words: Words, below: Below, pick: Pick): readonly [string, string] {
  const severity = below(5);
  const cve = `CVE-20${10 + below(16)}-${1_000 + below(60_000)}`;
  const name = `${words(5)} ${index} &lt; 2.${below(40)}`;
  const scores =
    severity === 0
      ? ''
      : `<cve>${cve}</cve>\n<cve>${cve}1</cve>
<cvss3_base_score>${(severity * 2.4).toFixed(1)}</cvss3_base_score>
<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector>
<cvss_base_score>${(severity * 2.3).toFixed(1)}</cvss_base_score>
<cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P</cvss_vector>
<epss_score>0.${below(10_000)}</epss_score>\n<vpr_score>${(severity * 2).toFixed(1)}</vpr_score>
<exploit_available>${below(4) === 0}</exploit_available>
<xref>CWE:${20 + below(400)}</xref>\n`;
  return [
    ` severity="${severity}" pluginID="${20_000 + index}" pluginName="${name}" pluginFamily="${pick(FAMILIES)}">
${scores}<description>${words(24)}.\n\n  - ${words(12)} &apos;${pick(WORDS)}&apos;</description>
<fname>check_${index}.nasl</fname>
<plugin_modification_date>2026/01/02</plugin_modification_date>
<plugin_name>${name}</plugin_name>
<plugin_publication_date>2020/01/02</plugin_publication_date>
<plugin_type>remote</plugin_type>
<risk_factor>${RISKS[severity]}</risk_factor>
<script_version>1.${index}</script_version>
<see_also>https://vendor.example/advisories/${index}\nhttp://www.nessus.org/u?${index}</see_also>
<solution>${words(12)}.</solution>
<synopsis>${words(10)}.</synopsis>
`,
    '</ReportItem>\n',
  ];
}

/** One plugin runs a whole audit file. */
const AUDIT = Array.from(
  { length: 150 },
  (_, index) => `${1 + (index % 9)}.${index} Ensure that setting ${index} is on`,
);
const AUDIT_HEAD = ` severity="3" pluginID="21157" pluginName="Unix Compliance Checks" pluginFamily="Policy Compliance">
<fname>unix_compliance_check.nbin</fname>
`;

const LONG_OUTPUT_CHARS = 265_000;

function auditItem(check: string, words: Words, below: Below): string {
  return `<ReportItem port="0" svc_name="general" protocol="tcp"${AUDIT_HEAD}<compliance>true</compliance>
<cm:compliance-check-name>${check}</cm:compliance-check-name>
<cm:compliance-result>FAILED</cm:compliance-result>
<cm:compliance-info>The setting keeps attackers out.</cm:compliance-info>
<cm:compliance-actual-value><![CDATA[<${words(10)}> & ${below(1_000)}]]></cm:compliance-actual-value>
</ReportItem>\n`;
}

function item([before, behind]: readonly [string, string], words: Words, below: Below, pick: Pick): string {
  const port = below(4) === 0 ? 0 : (PORTS[below(PORTS.length)] ?? 0);
  const place = `<ReportItem port="${port}" svc_name="${pick(SERVICES)}" protocol="tcp"`;
  const kind = below(30_000);
  if (kind < 3_000) return place + before + behind;
  const lines = Array.from({ length: 2 + below(5) }, () => `  ${pick(WORDS)} : ${words(4)} ${below(100_000)}`);
  if (kind === 4_000) lines.push('x'.repeat(LONG_OUTPUT_CHARS));
  if (kind % 7 === 0) lines.push('  Banner : &lt;b&gt;nginx&lt;/b&gt; &quot;1.2&quot; http://x.test/');
  if (kind % 11 === 0) lines.push('  Größe : naïve – 世界');
  return `${place}${before}<plugin_output>\n${lines.join('\n')}\n</plugin_output>\n${behind}`;
}
