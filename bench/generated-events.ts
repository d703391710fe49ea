import { Occurrence, RuleFacts } from '../src/model/finding.ts';
import type { ReportEvent } from '../src/model/report.ts';
import { randomSeries } from '../src/simulators/nessus/report/words.ts';

/** What a generated report is like. */
export interface GeneratedShape {
  readonly findings: number;
  readonly rules: number;
  readonly hosts: number;
  /** UTF-16 units of untrusted text per finding. */
  readonly textLength: number;
}

/** As many findings, rules, hosts and bytes of output as the 200 MB Nessus report of the benches has. */
export const LARGE_REPORT: GeneratedShape = { findings: 135_543, rules: 1_500, hosts: 2_062, textLength: 700 };

const SEVERITIES = ['info', 'info', 'info', 'low', 'medium', 'medium', 'high', 'critical'] as const;
const PORTS = [0, 22, 80, 135, 139, 443, 445, 3389, 8080, 8443];

/** The kinds of line that outputs of checks are made of; links are defanged, as they are after cleaning. */
const LINES: readonly ((random: () => number) => string)[] = [
  (random) => `  Installed version : ${version(random)}`,
  (random) => `  Fixed version     : ${version(random)}`,
  (random) => `  Path              : /usr/lib/x86_64-linux-gnu/libexample.so.${version(random)}`,
  (random) => `  URL               : hxxps://host-${Math.floor(random() * 2_000)}.example:8443/manager/html`,
  (random) => `  Remote package installed : libexample-common-${version(random)}.el8_6.x86_64`,
  (random) => `  Should be                : libexample-common-${version(random)}.el8_6.x86_64`,
  (random) =>
    `    0x${Math.floor(random() * 2 ** 32).toString(16)}  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256  ECDH  RSA  AES-CBC(128)`,
  (random) => `Nessus was able to read ${Math.floor(random() * 90_000)} bytes of the file without authentication.`,
  () => 'The following sample of the response shows that the service is not configured as recommended :',
  (random) => `HTTP/1.1 200 OK Server: nginx/${version(random)} Content-Type: text/html; charset=UTF-8`,
];

const version = (random: () => number): string => [20, 30, 99].map((most) => Math.floor(random() * most)).join('.');

function textOf(random: () => number, length: number): string {
  let text = '';
  while (text.length < length) text += `${LINES[Math.floor(random() * LINES.length)]?.(random)}\n`;
  return text.slice(0, length);
}

function ruleOf(random: () => number, number: number): RuleFacts {
  const isRated = random() < 0.6;
  return RuleFacts.parse({
    rule_id: `nessus:${10_000 + number}`,
    rule_family: `Family ${number % 50}`,
    title: `Example Server < ${version(random)} Multiple Vulnerabilities (RHSA-2026:${number})`,
    severity: SEVERITIES[Math.floor(random() * SEVERITIES.length)],
    severity_source: 'engine',
    description: textOf(random, 1_200),
    solution: `Upgrade Example Server to version ${version(random)} or later.`,
    references: [`https://example.test/advisories/${number}`, `https://nvd.example/vuln/CVE-2025-${1_000 + number}`],
    cvss: isRated ? [{ version: '3.1', score: Math.floor(random() * 100) / 10 }] : [],
    cves: isRated ? [`CVE-2025-${1_000 + number}`, `CVE-2024-${1_000 + number}`] : [],
    ...(isRated && { epss: Math.floor(random() * 100_000) / 100_000 }),
    exploit_available: random() < 0.1,
  });
}

/** Many different texts are cut from one long one: making them must not be what is measured. */
function createOutputs(random: () => number, length: number): (finding: number) => string {
  const long = textOf(random, length + (1 << 20));
  return (finding) => {
    const from = (finding * 7_919) % (1 << 20);
    return `${finding}\n${long.slice(from, from + length - 8)}`;
  };
}

/** Events of one report, always the same for one shape; made while they are read. */
export function* generatedEvents({ findings, rules, hosts, textLength }: GeneratedShape): Generator<ReportEvent> {
  const random = randomSeries(7);
  const known = Array.from({ length: rules }, (_, number) => ruleOf(random, number));
  const outputOf = createOutputs(random, textLength);
  for (let finding = 0; finding < findings; finding += 1) {
    const host = Math.floor((finding * hosts) / findings);
    const rule = known[Math.floor(random() * rules)];
    if (rule === undefined) return;
    const location = {
      ip: `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`,
      port: PORTS[Math.floor(random() * PORTS.length)] ?? 0,
      protocol: 'tcp',
      service: 'www',
    };
    const occurrence: Occurrence = { location, untrusted: { output: outputOf(finding) } };
    yield { kind: 'occurrence', rule, occurrence };
  }
  yield { kind: 'end' };
}
