import { join } from 'node:path';
import type { ScanFiles } from './artefacts.ts';
import type { S3Settings } from './remote/s3-client.ts';
import { createScanFiles } from './scan-files.ts';

export interface ScanFilesSettings {
  readonly dataFolder: string;
  /** What claims and copies leave free on the disk. */
  readonly reserveBytes: number;
  /** A folder of a volume that several machines share. */
  readonly sharedFolder?: string;
  /** A bucket that several machines share; copies of it in the data folder take so much. */
  readonly bucket?: S3Settings & { readonly cacheBytes: number };
}

export const scansFolder = ({
  dataFolder,
  sharedFolder,
}: Pick<ScanFilesSettings, 'dataFolder' | 'sharedFolder'>): string => sharedFolder ?? join(dataFolder, 'scans');

/** The artefact store the settings ask for. Nothing is connected yet. */
export async function openScanFiles(settings: ScanFilesSettings): Promise<ScanFiles> {
  const { dataFolder, reserveBytes, sharedFolder, bucket } = settings;
  const folder = scansFolder(settings);
  const local = createScanFiles(folder, { reserveBytes, isShared: sharedFolder !== undefined });
  if (bucket === undefined) return local;
  const [{ createRemoteFiles }, { createS3Objects }] = await Promise.all([
    import('./remote/remote-files.ts'),
    import('./remote/s3-objects.ts'),
  ]);
  const { cacheBytes, ...s3 } = bucket;
  const cacheFolder = join(dataFolder, 'cache', 'artefacts');
  return createRemoteFiles({ local, objects: createS3Objects(s3), cacheFolder, cacheBytes, reserveBytes });
}
