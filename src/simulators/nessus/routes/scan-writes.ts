import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Answer } from '../answer.ts';
import { Refusal, json, notFound, nothing } from '../answer.ts';
import { bodyOf, type Call, type Route } from '../call.ts';
import { folderOf, launch, remove, removeRun, scanOf } from '../operations.ts';
import { ended, launchedRun } from '../run.ts';
import { RunScript } from '../scenario.ts';
import { CredentialChange, addedCredentials, wrongField } from '../secrets.ts';
import { configured, listed } from '../shown-scan.ts';
import type { CredentialRecord, Scan } from '../state.ts';
import { ADVANCED, TEMPLATES } from '../templates.ts';

const Settings = z.object({
  name: z.string().trim().min(1),
  description: z.string().optional(),
  text_targets: z.string().trim().min(1),
  folder_id: z.coerce.number().optional(),
  launch_now: z.boolean().optional(),
});
const Create = z.object({ uuid: z.string(), settings: Settings, credentials: CredentialChange.optional() });
const Configure = z.object({
  settings: Settings.partial().optional(),
  credentials: CredentialChange.optional(),
});
const Import = z.object({ file: z.string(), folder_id: z.coerce.number().optional() });
const Ids = z.object({ ids: z.array(z.coerce.number()) });
const Folder = z.object({ folder_id: z.coerce.number() });
const Copy = z.object({ name: z.string().optional(), folder_id: z.coerce.number().optional() });

/** @throws Refusal 403 below the permission an action needs */
export function permitted(scan: Scan, least: 32 | 64 | 128): Scan {
  if (scan.permissions < least) throw new Refusal(403, 'You are not authorized to perform this request');
  return scan;
}

export const idOf = ({ params }: Call): number => Number(params['id']);

function folderFor({ server }: Call, id: number | undefined): number {
  if (id === undefined) return folderOf(server, 'main');
  if (!server.state.folders.some((folder) => folder.id === id)) throw new Refusal(400, "Invalid 'folder_id' field");
  return id;
}

/** @throws Refusal 400 for a choice Nessus does not offer, or a key nobody uploaded */
function credentialsFrom(
  { server }: Call,
  change: CredentialChange,
): { records: CredentialRecord[]; secrets: string[] } {
  const added = addedCredentials(change, () => server.state.nextId());
  for (const record of added.records) {
    const wrong = wrongField(record, (file) => server.state.contents.has(file));
    if (wrong !== undefined) throw new Refusal(400, `Invalid '${wrong}' field`);
  }
  return added;
}

function newScan(call: Call, facts: Pick<Scan, 'name' | 'folderId' | 'targets'> & Partial<Scan>): Scan {
  const now = call.server.clock.now();
  return {
    id: call.server.state.nextId(),
    uuid: `template-${randomUUID()}`,
    description: '',
    owner: call.server.scenario.auth.username,
    origin: 'api',
    permissions: 128,
    templateUuid: ADVANCED.uuid,
    credentials: [],
    createdAt: now,
    modifiedAt: now,
    isRead: false,
    imported: undefined,
    runs: [],
    ...facts,
  };
}

function create(call: Call): Answer {
  const { uuid, settings, credentials = {} } = bodyOf(call, Create);
  if (!TEMPLATES.some((template) => template.uuid === uuid)) throw new Refusal(400, "Invalid 'uuid' field");
  const { records, secrets } = credentialsFrom(call, credentials);
  const scan = newScan(call, {
    name: settings.name,
    description: settings.description ?? '',
    folderId: folderFor(call, settings.folder_id),
    templateUuid: uuid,
    targets: settings.text_targets,
    credentials: records,
  });
  const { state } = call.server;
  if (secrets.length > 0) state.secrets.set(scan.id, secrets);
  state.put(scan);
  if (settings.launch_now) launch(call.server, scan.id);
  return json({ scan: configured(call.server, scan) });
}

/** A field that is not named stays as it is; credentials go when `delete` names their ids. */
function configure(call: Call): Answer {
  const scan = permitted(scanOf(call.server, idOf(call)), 64);
  const { settings = {}, credentials = {} } = bodyOf(call, Configure);
  const { records, secrets } = credentialsFrom(call, credentials);
  const gone = new Set(credentials.delete);
  const { state, clock } = call.server;
  const changed: Scan = {
    ...scan,
    name: settings.name ?? scan.name,
    description: settings.description ?? scan.description,
    targets: settings.text_targets ?? scan.targets,
    folderId: settings.folder_id === undefined ? scan.folderId : folderFor(call, settings.folder_id),
    credentials: [...scan.credentials.filter(({ id }) => !gone.has(id)), ...records],
    modifiedAt: clock.now(),
  };
  state.secrets.set(scan.id, [
    ...(changed.credentials.length === 0 ? [] : (state.secrets.get(scan.id) ?? [])),
    ...secrets,
  ]);
  state.put(changed);
  state.dropUnusedUploads();
  return json(configured(call.server, changed));
}

function copy(call: Call): Answer {
  const scan = scanOf(call.server, idOf(call));
  const { name, folder_id: folder } = bodyOf(call, Copy);
  const { id: _, uuid: __, createdAt: ___, modifiedAt: ____, ...rest } = scan;
  const folderId = folder === undefined ? scan.folderId : folderFor(call, folder);
  const made = newScan(call, { ...rest, origin: 'api', runs: [], folderId, name: name ?? `Copy of ${scan.name}` });
  call.server.state.put(made);
  return json(listed(call.server, made));
}

function move(call: Call): Answer {
  const scan = permitted(scanOf(call.server, idOf(call)), 64);
  const folderId = folderFor(call, bodyOf(call, Folder).folder_id);
  call.server.state.put({ ...scan, folderId, modifiedAt: call.server.clock.now() });
  return nothing();
}

function removeOne(call: Call): Answer {
  permitted(scanOf(call.server, idOf(call)), 128);
  remove(call.server, idOf(call));
  return nothing();
}

function removeMany(call: Call): Answer {
  const { ids } = bodyOf(call, Ids);
  for (const id of ids) {
    permitted(scanOf(call.server, id), 128);
    remove(call.server, id);
  }
  return json({ deleted: ids });
}

/** The report is what was uploaded, and has a history of one. */
function importReport(call: Call): Answer {
  const { file, folder_id: folder } = bodyOf(call, Import);
  const { state, clock } = call.server;
  const content = state.contents.get(file);
  if (!content) throw notFound();
  const name = /<Report name="([^"]{1,200})"/.exec(content.toString('utf8'))?.[1] ?? file;
  const run = launchedRun(
    { historyId: state.nextId(), uuid: randomUUID(), targets: [], script: RunScript.parse({}) },
    clock.now(),
  );
  const scan = newScan(call, {
    name,
    folderId: folderFor(call, folder),
    targets: '',
    imported: file,
    runs: [ended(run, 'imported', clock.now())],
  });
  state.put(scan);
  return json({ scan: { ...listed(call.server, scan), status: 'imported' } });
}

export const WRITE_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/scans', needsScanApi: true, handle: create },
  { method: 'POST', path: '/scans/import', needsScanApi: true, handle: importReport },
  { method: 'PUT', path: '/scans/{id}', needsScanApi: true, handle: configure },
  { method: 'POST', path: '/scans/{id}/copy', needsScanApi: true, handle: copy },
  { method: 'PUT', path: '/scans/{id}/folder', handle: move },
  { method: 'DELETE', path: '/scans/{id}', needsScanApi: true, handle: removeOne },
  { method: 'DELETE', path: '/scans', needsScanApi: true, handle: removeMany },
  {
    method: 'DELETE',
    path: '/scans/{id}/history/{hid}',
    needsScanApi: true,
    handle: (call) => {
      permitted(scanOf(call.server, idOf(call)), 128);
      removeRun(call.server, idOf(call), Number(call.params['hid']));
      return nothing();
    },
  },
];
