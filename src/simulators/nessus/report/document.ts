import { findingsPerHost, findingsSoFar, foundHosts, ITEM_BYTES, ruleOf, type FoundHost } from '../hosts.ts';
import type { Run } from '../run.ts';
import type { CredentialRecord, Scan } from '../state.ts';
import { addressOf } from '../targets.ts';
import { hostLogin, type LoginFacts, type PluginItem } from './login-items.ts';
import { escaped } from './words.ts';

/** What an export is made of. */
export interface Exported {
  readonly scan: Scan;
  /** Settled. */
  readonly run: Run;
  /** Epoch milliseconds of the simulated clock. */
  readonly now: number;
  readonly version: string;
  /** Repeated in the policy and in outputs, where a careless plugin would. */
  readonly secrets: readonly string[];
}

/** A `.nessus` report (version 2) piece by piece, so that any length takes the same memory. The same each time. */
export function* nessusReport(exported: Exported): Generator<string> {
  const { run, now } = exported;
  yield head(exported);
  for (const host of foundHosts(run, now)) yield* hostReport(exported, host);
  for (const name of run.script.hosts.dead) if (run.targets.includes(name) && run.end) yield deadHost(exported, name);
  yield '</Report>\n</NessusClientData_v2>\n';
}

const preference = (name: string, value: string): string =>
  `<preference><name>${escaped(name)}</name><value>${escaped(value)}</value></preference>\n`;

/** Passwords show as stars. */
const login = ({ type, plain }: CredentialRecord, secrets: readonly string[]): string =>
  [
    ['entry', type === 'Windows' ? 'SMB account :' : 'SSH user name :', plain['username'] ?? ''] as const,
    ...(secrets.length > 0 ? secrets : ['********']).map(
      (secret) => ['password', type === 'Windows' ? 'SMB password :' : 'SSH password (unsafe!) :', secret] as const,
    ),
  ]
    .map(
      ([kind, name, value]) =>
        `<item><pluginName>Login configurations</pluginName><pluginId>10870</pluginId><fullName>Login configurations[${kind}]:${name}</fullName><preferenceName>${name}</preferenceName><preferenceType>${kind}</preferenceType><preferenceValues></preferenceValues><selectedValue>${escaped(value)}</selectedValue></item>\n`,
    )
    .join('');

function head({ scan, secrets }: Exported): string {
  const logins = scan.credentials.map((credential) => login(credential, secrets));
  return `<?xml version="1.0" ?>
<NessusClientData_v2>
<Policy><policyName>Simulated policy</policyName>
<Preferences><ServerPreferences>
${preference('TARGET', scan.targets)}${preference('port_range', '1-65535')}${preference('network_scanners.syn', 'yes')}</ServerPreferences>
<PluginsPreferences>
${logins.join('')}</PluginsPreferences></Preferences>
<FamilySelection><FamilyItem><FamilyName>General</FamilyName><Status>enabled</Status></FamilyItem></FamilySelection>
</Policy>
<Report name="${escaped(scan.name)}" xmlns:cm="http://www.nessus.org/cm">
`;
}

/** Findings are put together until a piece is worth a write. */
const PIECE_CHARS = 65_536;

function* hostReport(exported: Exported, host: FoundHost): Generator<string> {
  const { run } = exported;
  const login = loginOf(exported, host.name);
  let piece = hostHead(exported, host, login.credentialed.startsWith('yes'));
  for (const item of login.items) piece += pluginItem(item);
  const count = findingsSoFar(run, host);
  const padding = paddingOf(run);
  for (let nth = 0; nth < count; nth += 1) {
    const rule = ruleOf(run, host.index, nth);
    piece += `<ReportItem port="${rule.port}" svc_name="${rule.service}" protocol="tcp"${rule.head}<plugin_output>
  Host    : ${escaped(host.name)}
  Finding : ${nth}${padding}
</plugin_output>
</ReportItem>
`;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  if (host.percent === 100) piece += pluginItem(scanInformation(exported, host, login.credentialed));
  yield `${piece}</ReportHost>\n`;
}

/** Makes the export as long as the scenario wants it. */
function paddingOf(run: Run): string {
  const { bytes } = run.script.report;
  if (bytes === undefined) return '';
  const items = Math.max(1, run.targets.length * findingsPerHost(run));
  return `\n  Detail  : ${'x'.repeat(Math.max(0, Math.ceil(bytes / items) - ITEM_BYTES + 500))}`;
}

const date = (at: number): string =>
  new Date(at).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 $4');
const seconds = (at: number): number => Math.floor(at / 1_000);
const tag = (name: string, value: string | number): string => `<tag name="${name}">${escaped(String(value))}</tag>\n`;

function hostHead({ run, now }: Exported, { name, percent }: FoundHost, credentialed: boolean): string {
  const endedAt = run.end?.at ?? now;
  const end = percent === 100 ? tag('HOST_END_TIMESTAMP', seconds(endedAt)) + tag('HOST_END', date(endedAt)) : '';
  const address = addressOf(name);
  return `<ReportHost name="${escaped(name)}"><HostProperties>
${end}${tag('Credentialed_Scan', String(credentialed))}${tag('policy-used', 'Simulated policy')}${tag('operating-system', 'Linux Kernel 6.1')}${tag('host-ip', address ?? '192.0.2.1')}${address ? '' : tag('host-fqdn', name)}${tag('HOST_START_TIMESTAMP', seconds(run.startedAt))}${tag('HOST_START', date(run.startedAt))}</HostProperties>
`;
}

const infoItem = ({ id, name, family, port, service, output }: PluginItem, body: string): string =>
  `<ReportItem port="${port}" svc_name="${service}" protocol="tcp" severity="0" pluginID="${id}" pluginName="${escaped(name)}" pluginFamily="${family}">
${body}<plugin_output>${escaped(output)}</plugin_output>
</ReportItem>
`;

const pluginItem = (item: PluginItem): string =>
  infoItem(
    item,
    `<description>Simulated.</description>
<plugin_name>${escaped(item.name)}</plugin_name>
<plugin_type>summary</plugin_type>
<risk_factor>None</risk_factor>
<solution>n/a</solution>
<synopsis>Simulated.</synopsis>
`,
  );

function deadHost(exported: Exported, name: string): string {
  const ping = { id: 10180, name: 'Ping the remote host', family: 'Port scanners', port: 0, service: 'general' };
  const output = `The remote host (${name}) is considered as dead - not scanning\nThe remote host did not respond to ping\n`;
  return `${hostHead(exported, { index: 0, name, percent: 100 }, false)}${pluginItem({ ...ping, output })}</ReportHost>\n`;
}

/** A secret as it may turn up: as it is, in a URL, in base64. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(Buffer.from(secret).toString('utf8')),
  Buffer.from(secret).toString('base64'),
];

function scanInformation(
  { scan, run, now, version, secrets }: Exported,
  host: FoundHost,
  credentialed: string,
): PluginItem {
  const endedAt = run.end?.at ?? now;
  const echo = secrets
    .flatMap(formsOf)
    .map((form) => `Debug : ${form}\n`)
    .join('');
  return {
    id: 19506,
    name: 'Nessus Scan Information',
    family: 'Settings',
    port: 0,
    service: 'general',
    output: `Information about this scan : 

Nessus version : ${version}
Plugin feed version : 202611200000
Scanner edition used : Nessus
Scan type : Normal
Scan name : ${scan.name}
Scan policy used : Simulated policy
Scanner IP : 127.0.0.1
Port scanner(s) : nessus_syn_scanner 
Port range : 1-65535
Thorough tests : no
Safe checks : yes
Credentialed checks : ${credentialed}
Patch management checks : None
Max hosts : 30
Max checks : 4
Recv timeout : 5
Scan Start Date : ${new Date(run.startedAt).toISOString().slice(0, 16).replaceAll('-', '/').replace('T', ' ')} UTC
Scan duration : ${Math.max(0, seconds(endedAt) - seconds(run.startedAt))} sec
${echo}`,
  };
}

/** How the scan came in on one host, by its script. */
function loginOf({ scan, run }: Exported, host: string): ReturnType<typeof hostLogin> {
  const [credential] = scan.credentials;
  if (!credential) return hostLogin('not_asked', { protocol: 'SSH', username: '', elevates: false });
  return hostLogin(run.script.logins[host] ?? run.script.login, loginFacts(credential));
}

const loginFacts = ({ type, plain }: CredentialRecord): LoginFacts => ({
  protocol: type === 'Windows' ? 'SMB' : 'SSH',
  username: plain['username'] ?? '',
  elevates: !['Nothing', '', undefined].includes(plain['elevate_privileges_with']),
});
