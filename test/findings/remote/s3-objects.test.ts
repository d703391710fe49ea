import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KnownFile } from '../../../src/findings/remote/objects.ts';
import { createS3Objects } from '../../../src/findings/remote/s3-objects.ts';
import type { S3Settings } from '../../../src/findings/remote/s3-client.ts';
import { startS3, type S3Server } from '../../s3-server.ts';

const NEVER = new AbortController().signal;

describe('objects in S3', () => {
  let s3: S3Server;
  let folder: string;
  beforeAll(async () => {
    s3 = await startS3();
    folder = mkdtempSync(join(tmpdir(), 'scanmux-objects-'));
  });
  afterAll(async () => {
    await s3.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const settings = (over: Partial<S3Settings> = {}): S3Settings => ({
    bucket: s3.bucket,
    prefix: 'own',
    endpoint: s3.url,
    forcePathStyle: true,
    ...over,
  });
  const fileOf = (content: Buffer, name: string): { path: string; file: KnownFile } => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return { path, file: { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') } };
  };

  it.each([
    ['nothing', 0],
    ['a few bytes', 17],
    ['several parts', 20 * 2 ** 20 + 3],
  ])('come back as they were: %s', async (name, bytes) => {
    const objects = createS3Objects(settings());
    const { path, file } = fileOf(randomBytes(bytes), name);
    await objects.put(`k/${bytes}`, path, file, NEVER);
    const back = join(folder, `${name}.back`);
    await objects.fetch(`k/${bytes}`, back, file);
    expect(readFileSync(back).equals(readFileSync(path))).toBe(true);
  });
});
