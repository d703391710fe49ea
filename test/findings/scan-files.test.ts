import { afterAll, beforeAll } from 'vitest';
import { describeScanFilesContract } from '../contracts/scan-files-contract.ts';
import { startS3, type S3Server } from '../s3-server.ts';
import { openMachine, openOnVolume, temporaryFolder } from './remote/machines.ts';

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());

describeScanFilesContract('a folder that machines share', async () => {
  const volume = temporaryFolder();
  return [await openOnVolume(volume), await openOnVolume(volume)];
});

let rounds = 0;
describeScanFilesContract('a bucket', async () => {
  rounds += 1;
  const where = { url: s3.url, bucket: s3.bucket, prefix: `contract/${rounds}` };
  return [await openMachine(where), await openMachine(where)];
});
