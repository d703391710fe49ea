import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../model/errors.ts';
import { exactly } from './exactly.ts';
import type { KnownFile } from './objects.ts';
import type { OpenedS3, S3Settings } from './s3-client.ts';
import { isMissingObject, isTaken, isUnknownCondition } from './s3-failure.ts';

/** Parts of one upload that are in memory at once, and their least size; S3 wants 5 MiB or more. */
const PARTS_AT_ONCE = 2;
const PART_BYTES = 8 * 2 ** 20;
/** S3 takes 10,000 parts. */
const MOST_PARTS = 9_900;

export interface Uploaded {
  readonly key: string;
  readonly path: string;
  readonly file: KnownFile;
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

export type UploadFile = (s3: OpenedS3, upload: Uploaded) => Promise<void>;

/**
 * Uploads files, in parts when they are large. Nothing is written over: an equal object is left as it is, another one is
 * an error. Every part carries its SHA-256, which the store checks where it can.
 * @param answerMs Longest wait for the answer to a request without a file, per try.
 * @returns a function that throws AppError storage_unusable, and what the SDK throws
 */
export function createUploads(settings: S3Settings, answerMs: number): UploadFile {
  let knowsConditions = true;
  return async (s3, upload) => {
    if (await isStored(s3, settings, { ...upload, answerMs })) return;
    try {
      await send(s3, settings, upload, knowsConditions ? { IfNoneMatch: '*' } : {});
    } catch (error) {
      // Whoever lost a race, or the answer to its own upload, finds its object there.
      if (isTaken(error) && (await isStored(s3, settings, { ...upload, answerMs }))) return;
      if (!knowsConditions || !isUnknownCondition(error)) throw error;
      knowsConditions = false;
      await send(s3, settings, upload, {});
    }
  };
}

/** @throws AppError storage_unusable when the key holds something else */
async function isStored(
  { sdk, client }: OpenedS3,
  { bucket }: S3Settings,
  { key, file, answerMs }: Uploaded & { readonly answerMs: number },
): Promise<boolean> {
  const head = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
  const found = await client.send(head, { requestTimeout: answerMs }).catch((error: unknown) => {
    if (isMissingObject(error)) return undefined;
    throw error;
  });
  if (found === undefined) return false;
  if (found.ContentLength === file.bytes && found.Metadata?.['sha256'] === file.sha256) return true;
  throw new AppError('storage_unusable', `The object ${key} is there already and is another one.`, {
    hint: 'Operator: give every installation of scanmux a prefix of its own (artefacts.s3.prefix).',
  });
}

async function send(
  { client }: OpenedS3,
  { bucket, encryption = 'bucket', kmsKeyId = '' }: S3Settings,
  { key, path, file, signal, limitMs }: Uploaded,
  condition: { readonly IfNoneMatch?: string },
): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const source = createReadStream(path, { highWaterMark: 2 ** 20 });
  const body = exactly(file, changedHere);
  const reading = pipeline(source, body).catch(() => undefined);
  const upload = new Upload({
    client,
    params: {
      Bucket: bucket,
      Key: key,
      Body: body,
      ContentType: 'application/octet-stream',
      Metadata: { sha256: file.sha256 },
      ChecksumAlgorithm: 'SHA256',
      ...condition,
      ...(encryption === 'bucket' ? {} : { ServerSideEncryption: encryption }),
      ...(kmsKeyId === '' ? {} : { SSEKMSKeyId: kmsKeyId }),
    },
    partSize: Math.max(PART_BYTES, Math.ceil(file.bytes / MOST_PARTS)),
    queueSize: PARTS_AT_ONCE,
    leavePartsOnError: false,
  });
  const over = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const stop = (): void => void upload.abort();
  over.addEventListener('abort', stop, { once: true });
  try {
    over.throwIfAborted();
    await upload.done();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    over.removeEventListener('abort', stop);
    source.destroy();
    await reading;
  }
}

const changedHere = (): AppError =>
  new AppError('storage_unusable', 'A report or findings file was changed between being written and being stored.', {
    hint: 'Operator: nothing but scanmux may write to the data folder. Run the scan again.',
  });
