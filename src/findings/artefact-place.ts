import { AppError } from '../model/errors.ts';
import type { Artefact, ScanRecord } from '../model/scan.ts';

/** Names that stay in their folder on every system: no separator, no `..`, no drive. */
const SAFE_SCAN = /^[a-z0-9_]{1,64}$/;
const SAFE_PATH = /^(\d{1,10})\/([A-Za-z0-9][A-Za-z0-9._-]{0,120})$/;

/**
 * Where an artefact lies below any store: scan id, epoch, name.
 * @throws AppError storage_unusable for a record that names anything else; it may have been tampered with
 */
export function placeOf(scanId: string, { path }: Pick<Artefact, 'path'>): readonly [string, string, string] {
  const [, epoch, name] = SAFE_PATH.exec(path) ?? [];
  if (!SAFE_SCAN.test(scanId) || epoch === undefined || name === undefined) throw notOne();
  return [scanId, epoch, name];
}

/** Of a record with a file that no attempt can have written. */
export const notOne = (): AppError =>
  new AppError('storage_unusable', 'The record of the scan names a file that cannot be one of its own.', {
    hint: 'Operator: the record was changed by something else than scanmux. Run the scan again.',
  });

/** The findings file a record names. */
export const findingsArtefact = ({ result }: ScanRecord): Artefact | undefined =>
  result?.artefacts.find(({ kind }) => kind === 'findings');
