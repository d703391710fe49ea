/** What a report of the triage test says; a later report of the same hosts differs in known ways. */
export interface Network {
  readonly hosts: number;
  readonly itemsPerHost: number;
  readonly rules: number;
  /** In the later report: rule 1 is gone from the first `fixed` hosts, and rule `rules` is new on the last `added`. */
  readonly later?: { readonly fixed: number; readonly added: number };
}

/** The one rule that is on the KEV list; its solution is shared with nothing. */
export const KEV_RULE = 7;
/** Every tenth rule is solved by the same upgrade. */
export const COMMON_FIX = 'Upgrade the base image to release 12.4.';

const address = (host: number): string => `10.20.${host >> 8}.${host & 255}`;

function severityOf(rule: number): number {
  if (rule === KEV_RULE) return 4;
  return rule % 20 === 0 ? 4 : rule % 9 === 0 ? 3 : rule % 4 === 0 ? 2 : rule % 3 === 0 ? 1 : 0;
}

function item(rule: number, host: number): string {
  const severity = severityOf(rule);
  const port = 1_000 + (rule % 50);
  const score = [0, 3.1, 5.4, 7.8, 9.8][severity] ?? 0;
  const rated =
    severity === 0 ? '' : `<cve>CVE-2024-${10_000 + rule}</cve><cvss3_base_score>${score}</cvss3_base_score>`;
  const kev =
    rule === KEV_RULE ? '<xref>CISA-KNOWN-EXPLOITED:2024/05/01</xref><exploit_available>true</exploit_available>' : '';
  const fix = rule % 10 === 0 ? COMMON_FIX : `Update component ${rule} to its current release.`;
  return `<ReportItem port="${port}" svc_name="www" protocol="tcp" severity="${severity}" pluginID="${100_000 + rule}" pluginName="Component ${rule} is out of date" pluginFamily="General"><description>The remote host runs an old release of component ${rule}.</description><solution>${fix}</solution>${rated}${kev}<plugin_output>Installed version : ${rule}.${host % 10}</plugin_output></ReportItem>\n`;
}

/** Written by hand after the format, small enough to be made anew in every run. */
export function nessusReport({ hosts, itemsPerHost, rules, later }: Network): string {
  const parts = [
    '<?xml version="1.0" ?>\n<NessusClientData_v2>\n<Policy><policyName>All</policyName><FamilySelection><FamilyItem><FamilyName>General</FamilyName><Status>enabled</Status></FamilyItem></FamilySelection><IndividualPluginSelection><PluginItem><PluginId>11219</PluginId><Status>enabled</Status></PluginItem></IndividualPluginSelection><Preferences><ServerPreferences><preference><name>port_range</name><value>1-65535</value></preference></ServerPreferences></Preferences></Policy>\n<Report name="network">\n',
  ];
  const day = later === undefined ? 'Mon Jan 5' : 'Mon Jan 12';
  for (let host = 0; host < hosts; host += 1) {
    const ip = address(host);
    parts.push(
      `<ReportHost name="${ip}"><HostProperties><tag name="host-ip">${ip}</tag><tag name="HOST_START">${day} 08:00:00 2026</tag><tag name="HOST_END">${day} 09:00:00 2026</tag></HostProperties>\n`,
    );
    for (let at = 0; at < itemsPerHost; at += 1) {
      const rule = 1 + ((host * 3 + at) % (rules - 1));
      if (later === undefined || rule !== 1 || host >= later.fixed) parts.push(item(rule, host));
    }
    if (later !== undefined && host >= hosts - later.added) parts.push(item(rules, host));
    parts.push('</ReportHost>\n');
  }
  return `${parts.join('')}</Report>\n</NessusClientData_v2>\n`;
}
