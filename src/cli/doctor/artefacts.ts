import { join } from 'node:path';
import type { App } from '../../app.ts';
import type { Folders } from '../session.ts';
import { ok, warn, type Finding } from './finding.ts';

/** Where results are kept, once that has answered. @throws AppError storage_unavailable, storage_unusable */
export async function examineArtefacts(
  { files, settings, redis }: Pick<App, 'files' | 'settings' | 'redis'>,
  _session: unknown,
  { data }: Pick<Folders, 'data'>,
): Promise<Finding[]> {
  const { store, folder, s3 } = settings.artefacts;
  await files.check();
  if (store === 's3') return [ok('artefacts', `s3://${s3.bucket}/${s3.prefix}`)];
  const place = folder === '' ? join(data, 'scans') : folder;
  if (!redis || folder !== '') return [ok('artefacts', place)];
  return [
    warn(
      'artefacts',
      `The queue is in Redis, but results stay in ${place}: other machines cannot read them.`,
      `set artefacts.folder to a folder on a volume that all servers and workers share (${place} when all of them run here), or artefacts.store: s3.`,
    ),
  ];
}
