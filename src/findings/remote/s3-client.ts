import type { S3Client } from '@aws-sdk/client-s3';
import { silenceSdkWarning } from '../../platform/sdk-warning.ts';

/** Texts that are absent or empty count as not said. */
export interface S3Settings {
  readonly bucket: string;
  /** Of all keys, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly forcePathStyle: boolean;
  /** `bucket`: as the bucket is set up. */
  readonly encryption?: 'bucket' | 'AES256' | 'aws:kms';
  readonly kmsKeyId?: string;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK and a client made with it. */
export interface OpenedS3 {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

const MAX_ATTEMPTS = 3;
const CONNECT_MS = 3_000;
/** Longest silence on a connection, also in the middle of a body, and while a store puts a large object together. */
const SILENCE_MS = 30_000;
/** Longest time for one part of an upload; other requests have limits of their own. */
const REQUEST_MS = 60_000;

/** Loaded when the store is first used: most programs read and write nothing. Credentials are those of the SDK's default chain. */
export async function openS3({ region = '', endpoint = '', forcePathStyle }: S3Settings): Promise<OpenedS3> {
  silenceSdkWarning();
  const sdk = await import('@aws-sdk/client-s3');
  // Stores other than AWS's want a region in the signature and mostly do not care which.
  const signed = region === '' && endpoint !== '' ? 'us-east-1' : region;
  const client = new sdk.S3Client({
    ...(signed === '' ? {} : { region: signed }),
    ...(endpoint === '' ? {} : { endpoint }),
    forcePathStyle,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SILENCE_MS,
    },
    // Trailers of checksums are unknown to many stores. What is sent is signed with its SHA-256 in parts, and what is
    // read is compared with the hash in the record.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { sdk, client };
}
