import { createWriter } from './words.ts';

/** A plugin of the simulated feed, with all of an item that is the same on every host. */
export interface Rule {
  readonly id: number;
  readonly name: string;
  readonly family: string;
  /** 0 (info) to 4 (critical). */
  readonly severity: number;
  readonly port: number;
  readonly service: string;
  /** Attributes of the item behind the protocol, and its elements before the output, as XML. */
  readonly head: string;
}

export const RULE_COUNT = 600;
const FIRST_ID = 900_000;
const FAMILIES = ['General', 'Web Servers', 'Misc.', 'Service detection', 'Windows', 'Ubuntu Local Security Checks'];
const RISKS = ['None', 'Low', 'Medium', 'High', 'Critical'];
const PLACES: readonly (readonly [number, string])[] = [
  [0, 'general'],
  [22, 'ssh'],
  [80, 'www'],
  [443, 'www'],
  [445, 'cifs'],
  [3389, 'msrdp'],
];

/** Many info, few critical, as in real scans. */
const SEVERITIES = [0, 0, 0, 0, 1, 2, 2, 3, 3, 4];

/** The feed is the same for every seed: what differs is which host has which. */
export const RULES: readonly Rule[] = Array.from({ length: RULE_COUNT }, (_, index) => ruleOf(index));

function ruleOf(index: number): Rule {
  const { below, words } = createWriter(index + 1);
  const severity = SEVERITIES[index % SEVERITIES.length] ?? 0;
  const [port, service] = PLACES[below(PLACES.length)] ?? [0, 'general'];
  const family = FAMILIES[below(FAMILIES.length)] ?? '';
  const name = `Simulated ${words(3)} &lt; 2.${below(40)} (${index})`;
  const cve = `CVE-20${10 + below(16)}-${1_000 + below(60_000)}`;
  const scores =
    severity === 0
      ? ''
      : `<cve>${cve}</cve>
<cvss3_base_score>${(severity * 2.4).toFixed(1)}</cvss3_base_score>
<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector>
<cvss_base_score>${(severity * 2.3).toFixed(1)}</cvss_base_score>
<cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P</cvss_vector>
<exploit_available>${below(4) === 0}</exploit_available>
<xref>CWE:${20 + below(400)}</xref>
`;
  const head = ` severity="${severity}" pluginID="${FIRST_ID + index}" pluginName="${name}" pluginFamily="${family}">
${scores}<description>${words(20)}.</description>
<fname>simulated_${index}.nasl</fname>
<plugin_modification_date>2026/01/02</plugin_modification_date>
<plugin_name>${name}</plugin_name>
<plugin_publication_date>2020/01/02</plugin_publication_date>
<plugin_type>remote</plugin_type>
<risk_factor>${RISKS[severity]}</risk_factor>
<script_version>1.${below(90)}</script_version>
<see_also>https://vendor.example/advisories/${index}</see_also>
<solution>${severity === 0 ? 'n/a' : `${words(8)}.`}</solution>
<synopsis>${words(7)}.</synopsis>
`;
  return { id: FIRST_ID + index, name: name.replace('&lt;', '<'), family, severity, port, service, head };
}
