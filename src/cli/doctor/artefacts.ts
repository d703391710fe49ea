import { join } from 'node:path';
import type { App } from '../../app.ts';
import type { Folders, Session } from '../session.ts';
import { ok, type Finding } from './finding.ts';

/** Where results are kept, once that has answered. @throws AppError storage_unavailable, storage_unusable */
export async function examineArtefacts(
  { files, settings }: App,
  _session: Session,
  { data }: Folders,
): Promise<Finding[]> {
  const { store, folder, s3 } = settings.artefacts;
  await files.check();
  const place = folder === '' ? join(data, 'scans') : folder;
  return [ok('artefacts', store === 'directory' ? place : `s3://${s3.bucket}/${s3.prefix}`)];
}
