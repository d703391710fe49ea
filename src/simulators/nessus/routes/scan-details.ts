import type { Answer } from '../answer.ts';
import { json, notFound } from '../answer.ts';
import type { Call, Route } from '../call.ts';
import { findingsSoFar, foundHosts, ruleOf, severityCounts, type FoundHost } from '../hosts.ts';
import { scanOf } from '../operations.ts';
import { RULES, type Rule } from '../report/rules.ts';
import { statusOf, type Run } from '../run.ts';
import { seconds, shownRun, shownStatus } from '../shown-scan.ts';
import type { Scan } from '../state.ts';
import { idOf } from './scan-writes.ts';

/** The run a question is about. @throws Refusal 404 for a history nobody knows */
function runOf({ server, query }: Call, scan: Scan): Run | undefined {
  const historyId = query.get('history_id');
  if (historyId === null) return shownRun(scan, server.clock.now());
  const run = scan.runs.find((one) => String(one.historyId) === historyId);
  if (!run) throw notFound();
  return run;
}

function details(call: Call): Answer {
  const { server } = call;
  const scan = scanOf(server, idOf(call));
  const run = runOf(call, scan);
  const now = server.clock.now();
  const hosts = run ? foundHosts(run, now) : [];
  return json({
    info: infoOf(scan, run, now),
    hosts: run ? hosts.map((host) => hostOf(run, host)) : [],
    comphosts: [],
    notes: null,
    remediations: { num_hosts: 0, num_cves: 0, num_impacted_hosts: 0, num_remediated_cves: 0, remediations: null },
    vulnerabilities: run ? vulnerabilitiesOf(run, hosts) : null,
    compliance: [],
    history: historyOf(scan, now),
    filters: [],
  });
}

/** There is no progress in it, and no end while the scan runs. */
function infoOf(scan: Scan, run: Run | undefined, now: number): Record<string, unknown> {
  const times = run && {
    scan_start: seconds(run.startedAt),
    scanner_start: seconds(run.startedAt),
    ...(run.end ? { scan_end: seconds(run.end.at), scanner_end: seconds(run.end.at) } : {}),
  };
  return {
    acls: [{ type: 'default', permissions: 0, owner: null, id: null, name: null }],
    edit_allowed: run === undefined || run.end !== undefined,
    alt_targets_used: false,
    status: shownStatus(run, now),
    policy: 'Simulated policy',
    'pci-can-upload': false,
    hasaudittrail: false,
    haskb: run !== undefined,
    user_permissions: scan.permissions,
    folder_id: scan.folderId,
    no_target: false,
    targets: scan.targets,
    control: scan.permissions >= 32,
    timestamp: seconds(run?.startedAt ?? scan.createdAt),
    offline: false,
    object_id: scan.id,
    scanner_name: 'Local Scanner',
    uuid: run?.uuid ?? null,
    hostcount: run ? foundHosts(run, now).length : 0,
    scan_type: run ? 'local' : null,
    migrated: 0,
    name: scan.name,
    ...times,
  };
}

function hostOf(run: Run, host: FoundHost): Record<string, unknown> {
  const [info = 0, low = 0, medium = 0, high = 0, critical = 0] = severityCounts(run, host);
  const counts = [info, low, medium, high, critical];
  const checks = 100_000;
  return {
    host_id: host.index + 2,
    host_index: host.index,
    hostname: host.name,
    progress: `${host.percent}-100/${(host.percent * checks) / 100}-${checks}`,
    totalchecksconsidered: checks,
    numchecksconsidered: (host.percent * checks) / 100,
    scanprogresstotal: 100,
    scanprogresscurrent: host.percent,
    severitycount: {
      item: Array.from({ length: 10 }, (_, level) => ({ severitylevel: level, count: counts[level] ?? 0 })),
    },
    critical,
    high,
    medium,
    low,
    info,
    severity: info + low + medium + high + critical,
    score: low + medium * 10 + high * 100 + critical * 1_000,
  };
}

const shownRule = (rule: Rule, count: number): Record<string, unknown> => ({
  plugin_id: rule.id,
  plugin_name: rule.name,
  plugin_family: rule.family,
  severity: rule.severity,
  severity_index: rule.severity,
  count,
  vuln_index: rule.id - (RULES[0]?.id ?? 0),
  cpe: null,
  offline: false,
  snoozed: 0,
});

/** `null` while there are none, as Nessus has it. */
function vulnerabilitiesOf(run: Run, hosts: readonly FoundHost[]): Record<string, unknown>[] | null {
  const counts = new Map<Rule, number>();
  for (const host of hosts) {
    for (let nth = 0; nth < findingsSoFar(run, host); nth += 1) {
      const rule = ruleOf(run, host.index, nth);
      counts.set(rule, (counts.get(rule) ?? 0) + 1);
    }
  }
  return counts.size === 0 ? null : [...counts].map(([rule, count]) => shownRule(rule, count));
}

const historyOf = ({ runs }: Scan, now: number): Record<string, unknown>[] | null =>
  runs.length === 0
    ? null
    : runs.map((run) => ({
        history_id: run.historyId,
        uuid: run.uuid,
        owner_id: 2,
        status: statusOf(run, now),
        creation_date: seconds(run.startedAt),
        last_modification_date: seconds(run.end?.at ?? now),
        type: 'local',
        scheduler: 0,
        schedule_type: null,
        alt_targets_used: false,
      }));

function hostNamed(call: Call): { run: Run; host: FoundHost } {
  const run = runOf(call, scanOf(call.server, idOf(call)));
  const host =
    run && foundHosts(run, call.server.clock.now()).find(({ index }) => index + 2 === Number(call.params['hid']));
  if (!run || !host) throw notFound();
  return { run, host };
}

function hostDetails(call: Call): Answer {
  const { run, host } = hostNamed(call);
  const found = vulnerabilitiesOf(run, [host]) ?? [];
  return json({
    info: {
      'host-ip': host.name,
      host_start: new Date(run.startedAt).toUTCString(),
      'operating-system': 'Linux Kernel 6.1',
    },
    vulnerabilities: found.map((rule) => ({ ...rule, host_id: host.index + 2, hostname: host.name })),
    compliance: [],
  });
}

function pluginDetails(call: Call): Answer {
  const { run, host } = hostNamed(call);
  const numbers = Array.from({ length: findingsSoFar(run, host) }, (_, nth) => ruleOf(run, host.index, nth));
  const rule = numbers.find(({ id }) => id === Number(call.params['pid']));
  if (!rule) throw notFound();
  const ports = { [`${rule.port} / tcp / ${rule.service}`]: [{ hostname: host.name }] };
  return json({
    info: {
      plugindescription: {
        pluginid: String(rule.id),
        pluginname: rule.name,
        pluginfamily: rule.family,
        severity: String(rule.severity),
        pluginattributes: { risk_information: {}, ref_information: {}, plugin_information: {} },
      },
    },
    outputs: [{ plugin_output: `  Host    : ${host.name}`, ports, severity: rule.severity, hosts: null }],
  });
}

export const DETAIL_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/scans/{id}', handle: details },
  { method: 'GET', path: '/scans/{id}/hosts/{hid}', handle: hostDetails },
  { method: 'GET', path: '/scans/{id}/hosts/{hid}/plugins/{pid}', handle: pluginDetails },
];
