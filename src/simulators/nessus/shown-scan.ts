import { statusOf, type Run } from './run.ts';
import type { Server } from './server-state.ts';
import type { Scan } from './state.ts';

/** Nessus counts in seconds. */
export const seconds = (at: number): number => Math.floor(at / 1_000);

/** The run that list and details show: for a moment after a launch that may still be the one before. */
export function shownRun({ runs }: Scan, now: number): Run | undefined {
  const run = runs.at(-1);
  return run && now - run.startedAt < run.script.stale_ms ? runs.at(-2) : run;
}

export const shownStatus = (run: Run | undefined, now: number): string => (run ? statusOf(run, now) : 'empty');

/** A scan as `GET /scans` lists it. */
export function listed({ clock, scenario }: Server, scan: Scan): Record<string, unknown> {
  const run = shownRun(scan, clock.now());
  return {
    id: scan.id,
    ...(scenario.edition === 'tenable_vm' ? { schedule_uuid: scan.uuid } : {}),
    uuid: run?.uuid ?? null,
    name: scan.name,
    type: run ? 'local' : null,
    status: shownStatus(run, clock.now()),
    read: scan.isRead,
    shared: scan.owner !== scenario.auth.username,
    enabled: false,
    control: scan.permissions >= 32,
    user_permissions: scan.permissions,
    owner: scan.owner,
    folder_id: scan.folderId,
    creation_date: seconds(scan.createdAt),
    last_modification_date: seconds(scan.modifiedAt),
    live_results: 0,
    starttime: null,
    timezone: null,
    rrules: null,
  };
}

/** A scan as create and configure answer it. */
export const configured = ({ scenario }: Server, scan: Scan): Record<string, unknown> => ({
  id: scan.id,
  uuid: scan.uuid,
  name: scan.name,
  description: scan.description,
  owner: scan.owner,
  owner_id: 2,
  policy_id: scan.id + 1,
  scanner_id: 1,
  tag_id: scan.folderId,
  folder_id: scan.folderId,
  custom_targets: scan.targets,
  default_permissions: 0,
  enabled: true,
  shared: 0,
  type: 'public',
  user_permissions: scan.permissions,
  creation_date: seconds(scan.createdAt),
  last_modification_date: seconds(scan.modifiedAt),
  starttime: null,
  rrules: null,
  timezone: null,
  notification_filters: null,
  emails: null,
  ...(scenario.edition === 'tenable_vm' ? { schedule_uuid: scan.uuid } : {}),
});
