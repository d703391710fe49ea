import { randomUUID } from 'node:crypto';
import { Refusal, notFound } from './answer.ts';
import { isActive } from './hosts.ts';
import { CLOUD_STOPPABLE, ended, launchedRun, ordered, type Order, type Run } from './run.ts';
import { RunScript, scriptFor, type PresentScan } from './scenario.ts';
import type { Server } from './server-state.ts';
import { withLastRun, type Scan } from './state.ts';
import { ADVANCED } from './templates.ts';
import { targetsOf } from './targets.ts';

/** What the API and a person in the web interface can do to a scan. All throw Refusal: 404, 409. */

export function scanOf({ state }: Server, id: number): Scan {
  const scan = state.scan(id);
  if (!scan) throw notFound();
  return scan;
}

const touched = (scan: Scan, { clock }: Server): Scan => ({ ...scan, modifiedAt: clock.now() });

/** @returns the uuid of the run */
export function launch(server: Server, id: number, targets?: readonly string[]): string {
  const scan = scanOf(server, id);
  if (isActive(scan.runs.at(-1))) throw new Refusal(409, 'Scan is already running');
  const { scenario, state, clock } = server;
  const hosts = targetsOf((targets ?? [scan.targets]).join(','));
  const script = scriptFor(scenario, { name: scan.name, targets: hosts }, state.countLaunch());
  const run = launchedRun({ historyId: state.nextId(), uuid: randomUUID(), targets: hosts, script }, clock.now());
  state.put(touched({ ...scan, isRead: false, runs: [...scan.runs, run] }, server));
  return run.uuid;
}

export function order(server: Server, id: number, what: Order): void {
  const scan = scanOf(server, id);
  const run = scan.runs.at(-1);
  const stoppable = server.scenario.edition === 'tenable_vm' ? CLOUD_STOPPABLE : undefined;
  const changed = run && ordered(run, what, server.clock.now(), stoppable);
  if (!changed) throw new Refusal(409, `The scan cannot ${what} in its current state`);
  server.state.put(touched(withLastRun(scan, changed), server));
}

/** @param isPerson a person may delete from any folder */
export function remove(server: Server, id: number, isPerson = false): void {
  const scan = scanOf(server, id);
  if (!isPerson && isActive(scan.runs.at(-1))) throw new Refusal(409, 'Scan is running');
  const isInTrash = server.state.folders.some(({ id: folder, type }) => type === 'trash' && folder === scan.folderId);
  if (!isPerson && server.scenario.trash_first && !isInTrash) throw new Refusal(409, 'Scan is not in the trash');
  server.state.remove(id);
}

export function removeRun(server: Server, id: number, historyId: number): void {
  const scan = scanOf(server, id);
  const run = scan.runs.find((one) => one.historyId === historyId);
  if (!run) throw notFound();
  if (!run.end) throw new Refusal(409, 'Scan is running');
  server.state.put(touched({ ...scan, runs: scan.runs.filter((one) => one !== run) }, server));
}

export const folderOf = (server: Server, type: 'main' | 'trash'): number =>
  server.state.folders.find((folder) => folder.type === type)?.id ?? 0;

const LIVE = new Set(['pending', 'initializing', 'running', 'processing', 'publishing']);

/** A scan the API did not make. @returns its id */
export function addPresentScan(server: Server, present: PresentScan): number {
  const { state, clock } = server;
  const now = clock.now();
  const id = state.nextId();
  state.put({
    id,
    uuid: `template-${randomUUID()}`,
    name: present.name,
    description: present.description,
    owner: present.owner,
    origin: 'foreign',
    permissions: present.permissions,
    folderId: state.folders.find(({ name }) => name === present.folder)?.id ?? folderOf(server, 'main'),
    templateUuid: ADVANCED.uuid,
    targets: present.targets.join('\n'),
    credentials: [],
    createdAt: now,
    modifiedAt: now,
    isRead: true,
    imported: undefined,
    runs: present.status === 'empty' ? [] : [presentRun(server, present)],
  });
  return id;
}

function presentRun({ state, clock }: Server, { status, targets, run: script }: PresentScan): Run {
  const facts = { historyId: state.nextId(), uuid: randomUUID(), targets: targetsOf(targets.join(',')) };
  const length = script.walk.reduce((sum, step) => sum + (step.for_ms ?? 0), 0);
  const startedAt = clock.now() - (LIVE.has(status) ? lengthBefore(script, status) : length);
  const run = launchedRun({ ...facts, script }, startedAt);
  if (LIVE.has(status)) return run;
  if (status === 'paused')
    return { ...run, activeMs: lengthBefore(script, 'running'), activeSince: undefined, isPaused: true };
  return ended(run, status, clock.now());
}

/** Of the walk, until it shows `status` first. */
function lengthBefore({ walk }: RunScript, status: string): number {
  const at = walk.findIndex((step) => step.status === status);
  return walk.slice(0, Math.max(0, at)).reduce((sum, step) => sum + (step.for_ms ?? 0), 0);
}
