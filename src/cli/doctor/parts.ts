import { join } from 'node:path';
import { POLICY_FILE, type App } from '../../app.ts';
import type { AuditVerdict } from '../../audit/verify.ts';
import { AUDIT_FIX, brokenText, checkAudit } from '../audit-check.ts';
import { scopeSource } from '../built-in-scope.ts';
import { refusedPolicy } from '../errors-for-people.ts';
import type { Folders, Session } from '../session.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import { examineSharedWorkers } from './redis.ts';
import { writableByOthers } from './folders.ts';

/** The scans of every tenant: who keeps this machine running sees to all of them. */
export async function examineQueue(
  { scans, operations }: Pick<App, 'scans' | 'operations'>,
  session: Pick<Session, 'ask'>,
): Promise<Finding[]> {
  const [{ backend }, { pools }] = await Promise.all([scans.queueStatus({}, session.ask()), operations.gauges()]);
  const total = (key: 'queued' | 'running' | 'retrying' | 'deadLetters'): number =>
    pools.reduce((sum, pool) => sum + pool[key], 0);
  const said = `${backend}: ${total('queued')} queued, ${total('running')} running, ${total('retrying')} waiting for a retry`;
  const dead = total('deadLetters');
  if (dead === 0) return [ok('queue', said)];
  return [
    warn(
      'queue',
      `${said}; ${dead} failed for good.`,
      '`scanmux dlq list` shows them, `scanmux dlq retry <scan_id>` tries again; both with `--tenant <name>` for another tenant than local.',
    ),
  ];
}

export async function examineScanners({ registry }: App): Promise<Finding[]> {
  const { source, lastError } = registry.status();
  const pools = registry.pools().map(({ name }) => name);
  if (lastError !== undefined) return [fail('scanners', lastError, 'correct the file; `scanmux reload` checks it.')];
  const said = `${pools.join(', ')} (${source})`;
  if (pools.includes(registry.defaultPool)) return [ok('scanners', `${said}, default ${registry.defaultPool}`)];
  const wrong = `the default pool ${registry.defaultPool} is none of them, so every scan must name its pool.`;
  return [warn('scanners', `${said}; ${wrong}`, 'set default_pool in scanmux.yaml to one of them.')];
}

export async function examineEngines(
  { scans }: { readonly scans: Pick<App['scans'], 'listScanners'> },
  session: Pick<Session, 'ask'>,
): Promise<Finding[]> {
  const { pools } = await scans.listScanners({}, session.ask());
  return pools.flatMap(({ pool, engine, instances }) =>
    instances.map(({ instance_id: id, enabled, health, why, version, can_launch: canLaunch }) => {
      const name = `${pool}/${id}: ${engine}${version === undefined ? '' : ` ${version}`}, ${health}`;
      if (!enabled) return ok('engine', `${name} (disabled)`);
      if (canLaunch && why === undefined) return ok('engine', name);
      const fix = why ?? 'see its log.';
      // Well, and all the same unable to start scans: its licence has that for import only.
      if (canLaunch || health === 'healthy') {
        return warn('engine', canLaunch ? `${name}.` : `${name}; for import only, it starts no scans.`, fix);
      }
      return fail('engine', `${name}; it cannot start scans.`, fix);
    }),
  );
}

export async function examinePolicy({ policy }: App, _session: Session, { config }: Folders): Promise<Finding[]> {
  const scope = policy.describe('every tenant');
  const { allow, deny, maxHosts, maxIntensity, lastError } = scope;
  const said = `${scopeSource(scope)}: ${allow.length} allowed, ${deny.length} denied, max_hosts ${maxHosts}, max_intensity ${maxIntensity}`;
  const loose = writableByOthers(join(config, POLICY_FILE), 'policy');
  const state =
    lastError === undefined ? ok('policy', said) : fail('policy', refusedPolicy(lastError), 'correct the file.');
  return loose ? [state, loose] : [state];
}

export async function examineCredentials(app: Pick<App, 'inspectCredentials' | 'seat'>): Promise<Finding[]> {
  const { count, fromEnvironment, lastError, troubles } = await app.inspectCredentials();
  const warnings = troubles.map(({ said, fix }) => warn('logins', said, fix));
  if (lastError !== undefined) {
    const said = `The credentials file is refused, so no credential can be used: ${lastError}`;
    return [fail('logins', said, 'correct the file; it is read again at the next use.'), ...warnings];
  }
  const variables =
    fromEnvironment === 0 ? [] : [ok('logins', variablesText(fromEnvironment, await app.seat.holder()))];
  return [
    ok('logins', count === 0 ? 'no credentials are set up' : `${count} in credentials.yaml`),
    ...variables,
    ...warnings,
  ];
}

/** What counts is the environment of the worker, which nobody else can look into. */
function variablesText(secrets: number, holder: string | undefined): string {
  const pid = holder?.split('|')[1];
  const running = pid === undefined ? 'the workers' : `the worker which runs (process ${pid})`;
  const whose =
    holder === undefined
      ? 'the next worker gets that of whatever starts it'
      : `that of ${running} cannot be seen from here`;
  return `${secrets === 1 ? '1 secret depends' : `${secrets} secrets depend`} on environment variables; looked up in the environment of this command, and ${whose}`;
}

/** EPSS changes every day, the catalogue every week: older ones no longer say what is urgent. */
const STALE_DAYS = 30;
const DAY_MS = 86_400_000;

export async function examineEnrichment({ enrichment }: App): Promise<Finding[]> {
  const facts = enrichment.describe();
  if (facts === undefined)
    return [ok('scores', 'no local EPSS and KEV data: findings show what their reports say (docs/enrichment.md)')];
  const { epss, kev } = facts;
  const shown = [
    epss ? `EPSS of ${epss.date} (${epss.scores} CVEs)` : 'no EPSS',
    kev ? `KEV ${kev.version} (${kev.vulnerabilities} CVEs)` : 'no KEV',
  ].join(', ');
  const oldest = Math.min(...[epss, kev].flatMap((part) => (part ? [Date.parse(part.date)] : [])));
  const days = Math.floor((Date.now() - oldest) / DAY_MS);
  if (days <= STALE_DAYS) return [ok('scores', shown)];
  return [
    warn('scores', `${shown}: ${days} days old.`, 'download them again, then `scanmux data update --from <folder>`.'),
  ];
}

export async function examineWorker(app: App, session: Session): Promise<Finding[]> {
  const { seat, queue } = app;
  if (app.redis) return await examineSharedWorkers(app, session.ask());
  const holder = await seat.holder();
  if (holder !== undefined) return [ok('worker', `runs (process ${holder.split('|')[1] ?? 'unknown'})`)];
  const waiting = await queue.liveCount();
  if (waiting === 0) return [ok('worker', 'none runs; one starts with the next scan')];
  return [
    warn(
      'worker',
      `none runs, and ${waiting} scans wait for one.`,
      'run `scanmux worker`; logs/worker.log in the data folder says why it ended.',
    ),
  ];
}

export async function examineAudit(app: App, session: Session): Promise<Finding[]> {
  return [auditFinding(await checkAudit(app, session))];
}

export function auditFinding(verdict: AuditVerdict): Finding {
  if (verdict.ok) return ok('audit', `${verdict.entries} entries, unbroken`);
  return fail('audit', `The chain is broken${brokenText(verdict)}`, AUDIT_FIX);
}
