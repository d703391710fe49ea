import { isAbsolute } from 'node:path';
import { z } from 'zod';

const isPlainEndpoint = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '' && url.password === '';
};

const S3 = z.strictObject({
  bucket: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])?$/, 'must be the name of a bucket')
    .default('')
    .describe('Needed with `store: s3`. Credentials come from the AWS default chain, never from here.'),
  prefix: z
    .string()
    .max(200)
    .regex(/^([A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*)?$/, 'must be words of a-z, A-Z, 0-9, ., _ and -, between slashes')
    .default('scanmux')
    .describe('Begin of all keys. Each installation needs one of its own: what no scan refers to is removed.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{0,40}$/, 'must be the name of a region')
    .default('')
    .describe('Empty: as AWS tools find it; with an endpoint, `us-east-1`.'),
  endpoint: z
    .string()
    .refine((text) => text === '' || isPlainEndpoint(text), 'must be an http or https URL without user and password')
    .default('')
    .describe('URL of a store that is not AWS.'),
  force_path_style: z
    .boolean()
    .default(false)
    .describe('The bucket stands in the path, not in the host name: most stores that are not AWS want it.'),
  server_side_encryption: z
    .enum(['bucket', 'AES256', 'aws:kms'])
    .default('bucket')
    .describe('Asked for with every upload; `bucket`: as the bucket is set up.'),
  kms_key_id: z.string().max(2_048).default('').describe('For `aws:kms`; empty: the key of the account.'),
});

/** Where raw reports and findings of scans are kept. */
export const Artefacts = z
  .strictObject({
    store: z
      .enum(['directory', 's3'])
      .default('directory')
      .describe('`s3`: for servers and workers without a common disk. All of them need the same.'),
    folder: z
      .string()
      .refine((folder) => folder === '' || isAbsolute(folder), 'must be an absolute path (~ is not expanded here)')
      .default('')
      .describe(
        'With `store: directory`: a folder of a volume that all machines share. Empty: `scans` in the data folder.',
      ),
    cache_mb: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(4_096)
      .describe('With `store: s3`: copies kept in the data folder. What is being read stays in any case.'),
    s3: S3.prefault({}).describe('A bucket of AWS S3 or of a store that speaks its language.'),
  })
  .superRefine(({ store, folder, s3 }, context) => {
    if (store === 'directory') return;
    const complain = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (s3.bucket === '') complain(['s3', 'bucket'], 'is needed with store: s3');
    if (folder !== '') complain(['folder'], 'is only for store: directory');
    if (s3.kms_key_id !== '' && s3.server_side_encryption !== 'aws:kms')
      complain(['s3', 'kms_key_id'], 'is only for server_side_encryption: aws:kms');
  });
export type Artefacts = z.infer<typeof Artefacts>;
