import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';

/** What is known of an error of the SDK or of the system below it. */
interface Facts {
  readonly name: string;
  readonly status: number;
}

const textAt = (error: unknown, key: 'name' | 'code' | 'Code'): string => {
  const value: unknown = typeof error === 'object' && error !== null && key in error ? Reflect.get(error, key) : '';
  return typeof value === 'string' ? value : '';
};

function factsOf(error: unknown): Facts {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const isRecord = typeof metadata === 'object' && metadata !== null;
  const status: unknown = isRecord && 'httpStatusCode' in metadata ? metadata.httpStatusCode : 0;
  const name = textAt(error, 'Code') || textAt(error, 'code') || textAt(error, 'name');
  return { name, status: typeof status === 'number' ? status : 0 };
}

/** As AWS, MinIO, Ceph and OpenStack Swift call a store without room. */
const FULL: ReadonlySet<string> = new Set(['QuotaExceeded', 'XMinioStorageFull', 'StorageFull', 'EntityTooLarge']);

/** Errors that pass without anybody changing anything. */
const PASSING: ReadonlySet<string> = new Set([
  'AbortError',
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'ExpiredToken',
  'ConditionalRequestConflict',
  'OperationAborted',
  'NoSuchUpload',
  'BadDigest',
  'XAmzContentChecksumMismatch',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

export const isMissingObject = (error: unknown): boolean => {
  const { name, status } = factsOf(error);
  return name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket');
};

/** A condition of a write does not hold: another object has the key. */
export const isTaken = (error: unknown): boolean => factsOf(error).status === 412;

/** The store does not know conditions of writes. */
export const isUnknownCondition = (error: unknown): boolean => factsOf(error).status === 501;

/** What the log may have of an error of the SDK, which carries the whole request: signature, session token and all. */
const shown = (error: unknown, { name, status }: Facts): Error =>
  new Error(
    `${cleanLine(name, 100)}, status ${status}: ${cleanLine(error instanceof Error ? error.message : '', 300)}`,
  );

/**
 * Gives failures of a store our code; our own errors, and what the disk here says, pass through. By code and status,
 * never by the words of the message, which may hold anything.
 */
export function s3Failure(error: unknown, bucket: string): unknown {
  if (error instanceof AppError) return error;
  const facts = factsOf(error);
  const { name, status } = facts;
  const cause = shown(error, facts);
  if (FULL.has(name) || status === 507)
    return new AppError('storage_full', `The bucket ${bucket} has no room left.`, {
      cause,
      hint: 'Operator: raise its quota, or remove old objects. Nothing that was accepted is lost.',
    });
  if (PASSING.has(name) || status === 429 || (status >= 500 && status !== 501))
    return new AppError('storage_unavailable', `The store of the bucket ${bucket} does not answer (${name}).`, {
      cause,
    });
  const said = status === 0 ? name : `${name}, status ${status}`;
  return status === 0 && !REFUSALS.has(name)
    ? error
    : new AppError('storage_unusable', `The store refuses what scanmux asks of the bucket ${bucket} (${said}).`, {
        cause,
        hint: 'Operator: check bucket, region, endpoint and the credentials of the AWS default chain (docs/operations.md, Artefacts).',
      });
}

/** Of the SDK itself, before anything is sent. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'InvalidEndpointURL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
]);
