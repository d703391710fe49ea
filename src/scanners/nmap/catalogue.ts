import type { RuleFacts } from '../../model/finding.ts';
import { INTRUSIVE_SCRIPTS, STANDARD_SCRIPTS, scriptKind } from './scripts.ts';

/** CVEs of scripts that do not have them in their names; from the scripts of nmap 7.93 themselves. */
const CVES: Readonly<Record<string, readonly string[]>> = {
  'http-slowloris-check': ['CVE-2007-6750'],
  'http-vuln-misfortune-cookie': ['CVE-2014-9222'],
  'rdp-vuln-ms12-020': ['CVE-2012-0002', 'CVE-2012-0152'],
  'realvnc-auth-bypass': ['CVE-2006-2369'],
  'rsa-vuln-roca': ['CVE-2017-15361'],
  'smb-vuln-ms10-061': ['CVE-2010-2729'],
  'smb-vuln-ms17-010': ['CVE-2017-0143'],
  'smb-vuln-webexec': ['CVE-2018-15442'],
  'ssl-ccs-injection': ['CVE-2014-0224'],
  'ssl-heartbleed': ['CVE-2014-0160'],
  'ssl-poodle': ['CVE-2014-3566'],
  'sslv2-drown': ['CVE-2016-0800'],
  'tls-ticketbleed': ['CVE-2016-9244'],
};

function cvesOf(script: string): string[] {
  const [, year, number] = /cve-?(\d{4})-(\d{4,})/.exec(script) ?? [];
  return [...(CVES[script] ?? []), ...(year && number ? [`CVE-${year}-${number}`] : [])];
}

/** Protocols without virtual hosts; of all others (HTTP, TLS) the answer may depend on the name that was asked for. */
const NAMELESS =
  /^(?:smb2?|ssh2?|sshv1|rdp|snmp|ms-sql|mysql|mongodb|redis|memcached|ftp|telnet|vnc|realvnc|x11|nfs|ntp|nbstat|nbns|rpcinfo|ipmi|netbus|jdwp)(?:-|$)/;

/** What the engine knows of a check before it ever found anything. */
interface CatalogueEntry extends Pick<RuleFacts, 'rule_id' | 'rule_family' | 'title' | 'cves'> {
  /** It looks at what listens at an address, by whatever name it is called. */
  readonly atAddress?: true;
}

/** Everything scans of this engine may look for, whether it was ever found or not. */
export const nmapCatalogue = (): readonly CatalogueEntry[] => [
  { rule_id: 'nmap:port-open', rule_family: 'ports', title: 'Port is open', cves: [], atAddress: true },
  ...[...STANDARD_SCRIPTS, ...INTRUSIVE_SCRIPTS].map((script) => ({
    rule_id: `nse:${script}`,
    rule_family: `nse:${scriptKind(script) ?? 'other'}`,
    title: script,
    cves: cvesOf(script),
    ...(NAMELESS.test(script) ? ({ atAddress: true } as const) : {}),
  })),
];
