import { describe, expect, it } from 'vitest';
import { Artefacts } from '../../src/config/settings-artefacts.ts';

const problems = (input: unknown): string[] =>
  Artefacts.safeParse(input).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
const s3 = (over: Record<string, unknown> = {}) => ({ store: 's3', s3: { bucket: 'scans', ...over } });

describe('settings of artefacts', () => {
  it('keep everything in the data folder unless something is said', () => {
    expect(Artefacts.parse({})).toMatchObject({ store: 'directory', folder: '' });
  });

  it.each([
    s3(),
    s3({ endpoint: 'http://127.0.0.1:9000', force_path_style: true, prefix: '' }),
    s3({ server_side_encryption: 'AES256', region: 'eu-central-1', prefix: 'a/b.c' }),
    s3({ server_side_encryption: 'aws:kms', kms_key_id: 'arn:aws:kms:eu-central-1:1:key/x' }),
    { folder: '/mnt/scans' },
  ])('take %j', (input) => {
    expect(problems(input)).toEqual([]);
  });

  it.each([
    [{ store: 's3' }, 's3.bucket: is needed'],
    [{ ...s3(), folder: '/mnt/scans' }, 'folder: is only for'],
    [{ folder: 'scans' }, 'folder: must be an absolute'],
    [s3({ kms_key_id: 'x' }), 's3.kms_key_id: is only for'],
    [s3({ server_side_encryption: 'AES256', kms_key_id: 'x' }), 's3.kms_key_id: is only for'],
    [s3({ endpoint: 'http://key:secret@host' }), 's3.endpoint: must be an http or https URL without'],
    [s3({ endpoint: 'ftp://host' }), 's3.endpoint: must be'],
    [s3({ endpoint: 'host' }), 's3.endpoint: must be'],
    [s3({ bucket: 'a/b' }), 's3.bucket: must be'],
    [s3({ prefix: '/a' }), 's3.prefix: must be'],
    [s3({ prefix: 'a//b' }), 's3.prefix: must be'],
    [s3({ access_key_id: 'AKIA' }), 's3: Unrecognized key'],
    [{ cache_mb: -1 }, 'cache_mb'],
  ])('refuse %j', (input, said) => {
    expect(problems(input).join('\n')).toContain(said);
  });
});
