import { json } from '../answer.ts';
import type { Call, Route } from '../call.ts';
import { listed, seconds } from '../shown-scan.ts';
import { foldersOf } from './folders.ts';

/** `null` instead of an empty list, as Nessus has it. */
function list({ server, query }: Call): ReturnType<typeof json> {
  const folder = query.get('folder_id');
  const since = query.get('last_modification_date');
  const scans = server.state.scans
    .filter(({ folderId }) => folder === null || folderId === Number(folder))
    .filter(({ modifiedAt }) => since === null || seconds(modifiedAt) >= Number(since))
    .map((scan) => listed(server, scan));
  return json({
    folders: foldersOf(server),
    scans: scans.length === 0 ? null : scans,
    timestamp: seconds(server.clock.now()),
  });
}

export const LIST_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/scans', handle: list },
  {
    method: 'GET',
    path: '/scans/timezones',
    handle: () => json({ timezones: [{ name: '(UTC) UTC', value: 'Etc/UTC' }] }),
  },
];
