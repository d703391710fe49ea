import type { ExportSource } from '../../../src/findings/exports/source.ts';
import { finding, HEADER, sourceOf } from './sources.ts';

const host = (n: number) => `10.20.${Math.floor(n / 250)}.${(n % 250) + 1}`;

/** A scan as offices have them: what a page for people is judged by. */
export function officeScan(): ExportSource {
  const places = (from: number, count: number, port: number, service: string) =>
    Array.from({ length: count }, (_, at) => ({ ip: host(from + at), port, protocol: 'tcp', service }));
  const findings = [
    ...places(3, 3, 443, 'https').map((location) =>
      finding({
        rule_id: '156057',
        rule_family: 'Web Servers',
        title: 'Apache Log4j 2 remote code execution (Log4Shell)',
        severity: 'critical',
        description:
          'The version of Apache Log4j on the remote host evaluates JNDI lookups in logged text. Whoever can make the application log a text of their choice can run code on the host.',
        solution: 'Update Apache Log4j to 2.17.1 or later, or remove the JndiLookup class from the class path.',
        references: [
          'https://logging.apache.org/log4j/2.x/security.html',
          'https://www.cisa.gov/news-events/alerts/2021/12/11',
        ],
        cves: ['CVE-2021-44228', 'CVE-2021-45046'],
        cwes: ['CWE-20', 'CWE-502'],
        cvss: [{ version: '3.1', score: 10, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }],
        epss: 0.944,
        epss_source: 'FIRST EPSS 2026-11-20',
        kev: true,
        exploit_available: true,
        location,
        untrusted: {
          output:
            'Path              : /opt/shop/lib/log4j-core-2.14.1.jar\nInstalled version : 2.14.1\nFixed version     : 2.17.1',
        },
      }),
    ),
    finding({
      rule_id: 'redis-no-password',
      title: 'Redis answers without a password',
      severity: 'critical',
      severity_source: 'rule',
      description:
        'Anybody who reaches the port can read and change everything in the database, and often run commands on the host.',
      solution: 'Set requirepass or ACLs, and bind Redis to addresses that need it.',
      cwes: ['CWE-306'],
      location: { host: 'cache.office.test', ip: host(7), port: 6379, protocol: 'tcp', service: 'redis' },
      untrusted: { banner: 'redis_version:6.0.9\nredis_mode:standalone\nos:Linux 5.10.0-8-amd64 x86_64' },
    }),
    ...places(20, 14, 3389, 'ms-wbt-server').map((location) =>
      finding({
        rule_id: '18405',
        title: 'Remote Desktop accepts connections without network level authentication',
        severity: 'high',
        description:
          'The remote desktop service can be reached before a user has authenticated, which exposes it to attacks on the login itself.',
        solution: 'Require network level authentication in the policy of the host.',
        cvss: [{ version: '3.0', score: 7.3, vector: 'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L' }],
        cwes: ['CWE-287'],
        location,
      }),
    ),
    finding({
      rule_id: 'http-git-exposed',
      title: 'The Git repository of the site can be downloaded',
      severity: 'high',
      solution: 'Refuse requests for .git in the web server and rotate secrets that are in the history.',
      cwes: ['CWE-538'],
      location: {
        url: 'https://intranet.office.test/portal/assets/.git/HEAD?a-long-query=with-many-words-in-it&and=more',
        method: 'GET',
      },
      untrusted: { response: 'HTTP/1.1 200 OK\nContent-Type: text/plain\n\nref: refs/heads/main' },
    }),
    ...places(40, 34, 443, 'https').map((location) =>
      finding({
        rule_id: 'tls-1.0',
        title: 'TLS 1.0 or 1.1 is accepted',
        severity: 'medium',
        solution: 'Accept TLS 1.2 and 1.3 only.',
        references: ['RFC 8996'],
        cvss: [{ version: '3.1', score: 6.5 }],
        location,
      }),
    ),
    ...places(80, 9, 22, 'ssh').map((location) =>
      finding({ rule_id: 'ssh-weak-mac', title: 'SSH offers weak message authentication', severity: 'low', location }),
    ),
    finding({
      rule_id: 'tls-self-signed',
      title: 'Self-signed certificate',
      severity: 'low',
      location: { host: 'printer-3.office.test', port: 443, protocol: 'tcp', service: 'https' },
      suppression: {
        status: 'accepted_risk',
        reason: 'Printer network, replaced in spring',
        expires_at: '2027-03-31T00:00:00.000Z',
      },
    }),
    ...places(1, 60, 80, 'http').map((location) =>
      finding({ rule_id: 'open-port', rule_family: 'ports', title: 'Open port', severity: 'info', location }),
    ),
  ];
  return {
    ...sourceOf(findings, {
      scan: { ...HEADER.scan, name: 'Office network, quarterly', targets: ['10.20.0.0/24', 'intranet.office.test'] },
      engine: 'nessus',
      source: { tool: 'Nessus', version: '10.8.3' },
      coverage: {
        requested: 255,
        tested: 203,
        partial: 9,
        unreachable: 38,
        not_tested: 5,
        looked_for: ['Web Servers', 'Windows', 'Databases', 'General', 'Service detection', 'Misc.'],
        not_looked_for: [
          'Denial of Service: not run at this intensity',
          'Windows: Microsoft Bulletins: no login to 41 hosts',
        ],
      },
      summary:
        'The picture is partial: 203 of 255 places were fully looked at (9 only partly, 38 unreachable, 5 not tested). 123 findings: 4 critical, 15 high, 34 medium, 10 low, 60 info.',
    }),
    places: () => [
      ...Array.from({ length: 38 }, (_, at) => ({
        place: host(120 + at),
        status: 'unreachable' as const,
        reason: 'no port answered',
      })),
      ...Array.from({ length: 9 }, (_, at) => ({
        place: host(170 + at),
        status: 'partial' as const,
        reason: 'login refused',
      })),
      ...Array.from({ length: 5 }, (_, at) => ({ place: host(200 + at), status: 'not_tested' as const })),
    ],
  };
}
