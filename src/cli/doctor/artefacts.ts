import { join } from 'node:path';
import type { App } from '../../app.ts';
import { AppError } from '../../model/errors.ts';
import type { Folders } from '../session.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const FOLDER_AWAY = 'see that the volume is mounted and this user may write to it.';
const S3_AWAY =
  'see that this machine reaches the store and its login holds: artefacts.s3 (endpoint, region, bucket) and the AWS_* ' +
  'variables. Scans that end meanwhile wait with their results.';

const NOT_OURS =
  'holds files of scans that this queue has no records of: another queue had them. They are kept, and nothing that is left over is removed.';
const foreignFix = (owner: string): string =>
  `set redis.url, redis.prefix or the data folder as they were, or restore queue.db; once that is done, or when nobody needs these files any more, remove ${owner}.`;

interface Parts {
  readonly settings: Pick<App['settings'], 'artefacts'>;
  readonly files: Pick<App['files'], 'check' | 'foreignOwner'>;
  readonly redis: App['redis'];
}

/** Where results are kept, once that has answered. @throws AppError storage_unusable */
export async function examineArtefacts(
  { files, settings, redis }: Parts,
  _session: unknown,
  { data }: Pick<Folders, 'data'>,
): Promise<Finding[]> {
  const { store, folder, s3 } = settings.artefacts;
  const folderOrBucket = folder === '' ? join(data, 'scans') : folder;
  const place = store === 'directory' ? folderOrBucket : `s3://${s3.bucket}/${s3.prefix}`;
  try {
    await files.check();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'storage_unavailable') throw error;
    return [
      fail('artefacts', `${place}: ${error.code}: ${error.message}`, store === 'directory' ? FOLDER_AWAY : S3_AWAY),
    ];
  }
  const foreign = await files.foreignOwner();
  if (foreign !== undefined) return [warn('artefacts', `${place} ${NOT_OURS}`, foreignFix(foreign))];
  if (!redis || store === 's3' || folder !== '') return [ok('artefacts', place)];
  return [
    warn(
      'artefacts',
      `The queue is in Redis, but results stay in ${place}: other machines cannot read them.`,
      `set artefacts.folder to a folder on a volume that all servers and workers share (${place} when all of them run here), or artefacts.store: s3.`,
    ),
  ];
}
