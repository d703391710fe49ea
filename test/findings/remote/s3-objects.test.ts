import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { KnownFile } from '../../../src/findings/remote/objects.ts';
import { createS3Objects } from '../../../src/findings/remote/s3-objects.ts';
import type { S3Settings } from '../../../src/findings/remote/s3-client.ts';
import { startS3Proxy, type Verdict } from '../../s3-proxy.ts';
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

  const through = async (over: Partial<S3Settings> = {}) => {
    const proxy = await startS3Proxy(s3.port);
    onTestFinished(() => proxy.close());
    return { proxy, objects: createS3Objects(settings({ endpoint: proxy.url, ...over })) };
  };
  const back = (): string => join(folder, `back-${randomBytes(4).toString('hex')}`);

  it.each([
    ['nothing', 0],
    ['a few bytes', 17],
    ['several parts', 20 * 2 ** 20 + 3],
  ])('come back as they were: %s', async (name, bytes) => {
    const objects = createS3Objects(settings());
    const { path, file } = fileOf(randomBytes(bytes), name);
    await objects.put(`k/${bytes}`, path, file, NEVER);
    const copy = back();
    await objects.fetch(`k/${bytes}`, copy, file);
    expect(readFileSync(copy).equals(readFileSync(path))).toBe(true);
  });

  it('are sent in parts when they are large, each with its hash, and never over another object', async () => {
    const { proxy, objects } = await through({ encryption: 'aws:kms', kmsKeyId: 'key-1' });
    const { path, file } = fileOf(randomBytes(20 * 2 ** 20), 'large');
    await objects.put('parts/large', path, file, NEVER);
    const parts = proxy.seen.filter(({ line }) => line.includes('partNumber='));
    expect(parts).toHaveLength(3);
    for (const { headers } of parts) expect(headers['x-amz-checksum-sha256']).toMatch(/=$/);
    const started = proxy.seen.find(({ line }) => line.startsWith('POST') && line.includes('uploads'));
    expect(started?.headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-meta-sha256': file.sha256,
    });
    const ended = proxy.seen.find(({ line }) => line.startsWith('POST') && line.includes('uploadId='));
    expect(ended?.headers['if-none-match']).toBe('*');
  });

  it('are stored once, however often they are put, and another one does not take their key', async () => {
    const { proxy, objects } = await through();
    const [one, other] = [fileOf(Buffer.from('one'), 'one'), fileOf(Buffer.from('two'), 'two')];
    await objects.put('once', one.path, one.file, NEVER);
    await objects.put('once', one.path, one.file, NEVER);
    expect(proxy.seen.filter(({ line }) => line.startsWith('PUT'))).toHaveLength(1);
    await expect(objects.put('once', other.path, other.file, NEVER)).rejects.toMatchObject({
      code: 'storage_unusable',
    });
    await objects.fetch('once', back(), one.file);
  });

  it('take the object of a race that was lost, when it is the same', async () => {
    const { proxy, objects } = await through();
    const { path, file } = fileOf(Buffer.from('raced'), 'raced');
    proxy.judge = (line) => (line.startsWith('PUT') ? { status: 412, code: 'PreconditionFailed' } : 'pass');
    await expect(objects.put('raced', path, file, NEVER)).rejects.toMatchObject({ code: 'storage_unusable' });
    await createS3Objects(settings()).put('raced', path, file, NEVER);
    let heads = 0;
    proxy.judge = (line) => {
      if (line.startsWith('PUT')) return { status: 412, code: 'PreconditionFailed' };
      heads += 1;
      return heads === 1 ? { status: 404 } : 'pass';
    };
    await objects.put('raced', path, file, NEVER);
  });

  it('go without conditions to a store that knows none', async () => {
    const { proxy, objects } = await through();
    const { path, file } = fileOf(Buffer.from('plain'), 'plain');
    proxy.judge = (line) =>
      line.startsWith('PUT') && proxy.seen.at(-1)?.headers['if-none-match'] !== undefined
        ? { status: 501, code: 'NotImplemented' }
        : 'pass';
    await objects.put('plain', path, file, NEVER);
    await objects.fetch('plain', back(), file);
  });

  it.each([
    ['missing', undefined],
    ['changed', 'CHANGED'],
    ['longer', 'rightx'],
    ['shorter', 'righ'],
  ])('are refused when they are %s, and nothing is left here', async (name, stored) => {
    const objects = createS3Objects(settings());
    const { file } = fileOf(Buffer.from('right'), 'right');
    if (stored !== undefined) {
      const wrong = fileOf(Buffer.from(stored), `wrong-${name}`);
      await objects.put(`bad/${name}`, wrong.path, wrong.file, NEVER);
    }
    const copy = back();
    await expect(objects.fetch(`bad/${name}`, copy, file)).rejects.toMatchObject({
      code: 'storage_unusable',
      hint: expect.stringContaining('Operator: restore'),
    });
    expect(existsSync(copy)).toBe(false);
  });

  it('are not stored from a file that was changed after it was hashed', async () => {
    const objects = createS3Objects(settings());
    const { path, file } = fileOf(Buffer.from('before'), 'tampered');
    writeFileSync(path, 'after!');
    await expect(objects.put('tampered', path, file, NEVER)).rejects.toMatchObject({ code: 'storage_unusable' });
    expect((await objects.list('tampered')).objects).toEqual([]);
  });

  it.each<[string, Verdict, string]>([
    ['is overloaded', { status: 503, code: 'SlowDown' }, 'storage_unavailable'],
    ['is broken', { status: 500, code: 'InternalError' }, 'storage_unavailable'],
    ['cuts connections', 'cut', 'storage_unavailable'],
    ['has no room', { status: 507, code: 'XMinioStorageFull' }, 'storage_full'],
    ['has a quota', { status: 403, code: 'QuotaExceeded' }, 'storage_full'],
    ['does not let us in', { status: 403, code: 'AccessDenied' }, 'storage_unusable'],
    ['knows no such bucket', { status: 404, code: 'NoSuchBucket' }, 'storage_unusable'],
  ])('get our code when the store %s', async (_, verdict, code) => {
    const { proxy, objects } = await through();
    const { path, file } = fileOf(Buffer.from('x'), 'x');
    // A HEAD has no body to say more in.
    proxy.judge = (line) => (line.startsWith('HEAD') ? { status: 404 } : verdict);
    await expect(objects.put('x', path, file, NEVER)).rejects.toMatchObject({ code });
    await expect(objects.fetch('x', back(), file)).rejects.toMatchObject({ code });
    await expect(objects.list('')).rejects.toMatchObject({ code });
    const failed: unknown = await objects.check().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code });
    expect(inspect(failed, { depth: 20 })).not.toContain('Signature=');
  });

  it('get our code when the store never answers', async () => {
    const proxy = await startS3Proxy(s3.port);
    onTestFinished(() => proxy.close());
    const objects = createS3Objects(settings({ endpoint: proxy.url }), { answerMs: 100 });
    const { path, file } = fileOf(Buffer.from('silent'), 'silent');
    proxy.judge = () => 'hang';
    const unavailable = { code: 'storage_unavailable', retryable: true };
    await expect(objects.fetch('silent', back(), file)).rejects.toMatchObject(unavailable);
    await expect(objects.put('silent', path, file, NEVER)).rejects.toMatchObject(unavailable);
    await expect(objects.check()).rejects.toMatchObject(unavailable);
  });

  it('are refused with wrong credentials, in words that say whose they are', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { path, file } = fileOf(Buffer.from('w'), 'w');
    await expect(createS3Objects(settings()).put('w', path, file, NEVER)).rejects.toMatchObject({
      code: 'storage_unusable',
      message: expect.stringContaining('status 403'),
      hint: expect.stringContaining('credentials of the AWS default chain'),
    });
  });

  it('survive a body that breaks off', async () => {
    const { proxy, objects } = await through();
    const { path, file } = fileOf(randomBytes(2 ** 20), 'broken-off');
    await objects.put('broken-off', path, file, NEVER);
    let gets = 0;
    proxy.judge = (line) => {
      if (!line.startsWith('GET')) return 'pass';
      gets += 1;
      return gets === 1 ? 'cut_body' : 'pass';
    };
    await objects.fetch('broken-off', back(), file);
    expect(gets).toBe(2);
  });

  it('are not there when the caller gives up, who gets the reason', async () => {
    const { proxy, objects } = await through();
    const { path, file } = fileOf(randomBytes(20 * 2 ** 20), 'given-up');
    const control = new AbortController();
    const reason = new Error('enough');
    proxy.judge = (line) => {
      if (!line.includes('partNumber=')) return 'pass';
      control.abort(reason);
      return 'hang';
    };
    await expect(objects.put('given-up', path, file, control.signal)).rejects.toBe(reason);
    expect((await createS3Objects(settings()).list('given-up')).objects).toEqual([]);
  });

  it('are listed a page at a time below their own prefix alone, and removed', async () => {
    const mine = createS3Objects(settings({ prefix: 'mine/x' }));
    const other = createS3Objects(settings({ prefix: 'mine/xy' }));
    const { path, file } = fileOf(Buffer.from('l'), 'l');
    for (const key of ['a/1/l', 'b/1/l', 'b/2/l']) await mine.put(key, path, file, NEVER);
    await other.put('c/1/l', path, file, NEVER);
    const keys = async (below: string, after?: string) => (await mine.list(below, after)).objects.map(({ key }) => key);
    expect(await keys('')).toEqual(['a/1/l', 'b/1/l', 'b/2/l']);
    expect(await keys('b/')).toEqual(['b/1/l', 'b/2/l']);
    expect(await keys('', 'b/1/l')).toEqual(['b/2/l']);
    await mine.remove('b/1/l');
    await mine.remove('b/1/l');
    expect(await keys('')).toEqual(['a/1/l', 'b/2/l']);
  });
});
