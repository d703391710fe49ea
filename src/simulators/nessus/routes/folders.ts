import { z } from 'zod';
import { Refusal, json, notFound, nothing } from '../answer.ts';
import { bodyOf, type Call, type Route } from '../call.ts';
import { folderOf } from '../operations.ts';
import type { Server } from '../server-state.ts';
import type { Folder } from '../state.ts';

const Named = z.object({ name: z.string().min(1) });

export const foldersOf = ({ state }: Server): unknown[] =>
  state.folders.map(({ id, name, type }) => ({
    id,
    name,
    type,
    custom: type === 'custom' ? 1 : 0,
    unread_count: type === 'trash' ? null : 0,
    default_tag: type === 'main' ? 1 : 0,
  }));

function customFolder({ server, params }: Call): Folder {
  const folder = server.state.folders.find(({ id }) => id === Number(params['id']));
  if (!folder) throw notFound();
  if (folder.type !== 'custom') throw new Refusal(403, 'You are not authorized to perform this request');
  return folder;
}

export const FOLDER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/folders', handle: ({ server }) => json({ folders: foldersOf(server) }) },
  {
    method: 'POST',
    path: '/folders',
    handle: (call) => {
      const { state } = call.server;
      const { name } = bodyOf(call, Named);
      if (state.folders.some((folder) => folder.name === name))
        throw new Refusal(400, 'A folder with that name exists');
      const id = state.nextId();
      state.putFolder({ id, name, type: 'custom' });
      return json({ id });
    },
  },
  {
    method: 'PUT',
    path: '/folders/{id}',
    handle: (call) => {
      const folder = customFolder(call);
      call.server.state.putFolder({ ...folder, name: bodyOf(call, Named).name });
      return nothing();
    },
  },
  {
    method: 'DELETE',
    path: '/folders/{id}',
    handle: (call) => {
      const { id } = customFolder(call);
      const { state } = call.server;
      for (const scan of state.scans)
        if (scan.folderId === id) state.put({ ...scan, folderId: folderOf(call.server, 'trash') });
      state.removeFolder(id);
      return nothing();
    },
  },
];
