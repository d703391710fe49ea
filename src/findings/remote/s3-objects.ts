import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../model/errors.ts';
import { diskFailure } from '../disk.ts';
import { exactly } from './exactly.ts';
import type { KnownFile, Objects, StoredObject } from './objects.ts';
import { openS3, type OpenedS3, type S3Settings } from './s3-client.ts';
import { isMissingObject, s3Failure } from './s3-failure.ts';
import { createUploads } from './s3-upload.ts';

export interface S3Patience {
  /** Longest wait for the answer to a request that carries no file, per try of three. Default 8 seconds. */
  readonly answerMs?: number;
}

const ANSWER_MS = 8_000;
/** A body that breaks off is asked for again so often. */
const FETCH_TRIES = 3;
const FETCH_AGAIN_MS = 200;
/** Bytes per millisecond below which a transfer counts as stuck: 64 KiB a second. */
const SLOWEST = 64;
const TRANSFER_MS = 60_000;
const PAGE = 1_000;

/** How long a transfer of this many bytes may take. */
const transferMs = (bytes: number): number => TRANSFER_MS + Math.ceil(bytes / SLOWEST);

/** A bucket of AWS S3 or of a store that speaks its language. */
export function createS3Objects(settings: S3Settings, { answerMs = ANSWER_MS }: S3Patience = {}): Objects {
  const { bucket: Bucket, prefix } = settings;
  let opening: Promise<OpenedS3> | undefined;
  const opened = (): Promise<OpenedS3> => (opening ??= openS3(settings));
  const start = prefix === '' ? '' : `${prefix}/`;
  const guarded = async <T>(body: (s3: OpenedS3) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await body(await opened());
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Failure(error, Bucket);
    }
  };
  const upload = createUploads(settings, answerMs);
  const quickly = { requestTimeout: answerMs };
  return {
    put: (key, path, file, signal) =>
      guarded((s3) => upload(s3, { key: start + key, path, file, signal, limitMs: transferMs(file.bytes) }), signal),
    fetch: (key, path, file) => guarded((s3) => fetchObject(s3, { Bucket, Key: start + key, path, file, answerMs })),
    list: (below, after) =>
      guarded(async ({ sdk, client }) => {
        const where = { Bucket, Prefix: start + below, MaxKeys: PAGE };
        const more = after === undefined ? {} : { StartAfter: start + after };
        const answer = await client.send(new sdk.ListObjectsV2Command({ ...where, ...more }), quickly);
        const objects = (answer.Contents ?? []).flatMap(({ Key, LastModified }): StoredObject[] =>
          Key?.startsWith(start)
            ? [{ key: Key.slice(start.length), storedAt: LastModified?.getTime() ?? Date.now() }]
            : [],
        );
        return { objects, isLast: answer.IsTruncated !== true };
      }),
    remove: (key) =>
      guarded(async ({ sdk, client }) => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: start + key }), quickly).catch(unlessMissing);
      }),
    check: () =>
      guarded(async ({ sdk, client }) => {
        await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: start, MaxKeys: 1 }), quickly);
      }),
  };
}

const unlessMissing = (error: unknown): void => {
  if (!isMissingObject(error)) throw error;
};

interface Wanted {
  readonly Bucket: string;
  readonly Key: string;
  readonly path: string;
  readonly file: KnownFile;
  readonly answerMs: number;
}

async function fetchObject(s3: OpenedS3, wanted: Wanted): Promise<void> {
  const limit = AbortSignal.timeout(transferMs(wanted.file.bytes));
  for (let tries = 1; ; tries += 1) {
    const body = await openObject(s3, wanted, limit);
    try {
      const written = createWriteStream(wanted.path, { flags: 'wx', mode: 0o600 });
      await pipeline(
        body,
        exactly(wanted.file, () => changed(wanted.Key)),
        written,
        { signal: limit },
      );
      return;
    } catch (error) {
      await rm(wanted.path, { force: true });
      // The SDK tries requests again, but no bodies.
      const failure = s3Failure(diskFailure(error, wanted.path), wanted.Bucket);
      const mayPass = failure instanceof AppError && failure.code === 'storage_unavailable';
      if (!mayPass || tries === FETCH_TRIES || limit.aborted) throw failure;
      await delay(FETCH_AGAIN_MS * tries);
    }
  }
}

async function openObject(
  { sdk, client }: OpenedS3,
  { Bucket, Key, answerMs }: Wanted,
  limit: AbortSignal,
): Promise<Readable> {
  const asked = client.send(new sdk.GetObjectCommand({ Bucket, Key }), {
    abortSignal: limit,
    requestTimeout: answerMs,
  });
  const { Body } = await asked.catch((error: unknown) => {
    throw isMissingObject(error) ? missing(Key) : error;
  });
  if (Body instanceof Readable) return Body;
  throw new AppError('storage_unusable', `The object ${Key} has no content.`, { hint: RESTORE });
}

const RESTORE =
  'Operator: restore the object from a version or copy of the bucket, or run the scan again. Whoever else may write to the bucket may have done it.';

const missing = (key: string): AppError =>
  new AppError('storage_unusable', `The object ${key} is not in the bucket any more.`, { hint: RESTORE });

const changed = (key: string): AppError =>
  new AppError('storage_unusable', `The object ${key} is not what was stored there: its hash is another one.`, {
    hint: RESTORE,
  });
