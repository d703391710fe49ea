import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newScanId } from '../../src/model/ids.ts';
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

describe('a volume that is not mounted', () => {
  it('is told from one without scans, and nothing is written below where it should be', async () => {
    const volume = join(temporaryFolder(), 'not-mounted');
    const { files } = await openOnVolume(volume);
    const unavailable = { code: 'storage_unavailable', hint: expect.stringContaining('mount') };
    await expect(files.attemptFolder(newScanId(), 1)).rejects.toMatchObject(unavailable);
    await expect(files.openReport(newScanId(), 1, 1)).rejects.toMatchObject(unavailable);
    await expect(files.claim(newScanId(), 1)).rejects.toMatchObject(unavailable);
    await expect(files.check()).rejects.toMatchObject(unavailable);
    expect(existsSync(volume)).toBe(false);
  });
});
