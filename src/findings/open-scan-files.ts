import { join } from 'node:path';
import type { ScanFiles } from './artefacts.ts';
import { ownedFolder, type OwnedPlace } from './owned-place.ts';
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

export interface OpenedScanFiles {
  readonly files: ScanFiles;
  /** Where they lie. */
  readonly places: readonly OwnedPlace[];
}

/** The artefact store the settings ask for. Nothing is connected yet. */
export async function openScanFiles(settings: ScanFilesSettings): Promise<OpenedScanFiles> {
  const { dataFolder, reserveBytes, sharedFolder, bucket } = settings;
  const folder = sharedFolder ?? join(dataFolder, 'scans');
  const local = createScanFiles(folder, { reserveBytes, isShared: sharedFolder !== undefined });
  const here = ownedFolder(folder);
  if (bucket === undefined) return { files: local, places: [here] };
  const [{ createRemoteFiles }, { createS3Objects }, { ownedObjects }] = await Promise.all([
    import('./remote/remote-files.ts'),
    import('./remote/s3-objects.ts'),
    import('./remote/owned-objects.ts'),
  ]);
  const { cacheBytes, ...s3 } = bucket;
  const cacheFolder = join(dataFolder, 'cache', 'artefacts');
  const objects = createS3Objects(s3);
  return {
    files: createRemoteFiles({ local, objects, cacheFolder, cacheBytes, reserveBytes }),
    places: [here, ownedObjects(objects, ['s3:/', s3.bucket, s3.prefix].filter((part) => part !== '').join('/'))],
  };
}
