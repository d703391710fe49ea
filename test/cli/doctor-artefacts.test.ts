import { expect, it } from 'vitest';
import { examineArtefacts } from '../../src/cli/doctor/artefacts.ts';
import { Settings } from '../../src/config/settings.ts';
import { AppError } from '../../src/model/errors.ts';

it.each([
  ['directory', '/mnt/shared: storage_unavailable: away', /mounted/],
  ['s3', 's3://reports/', /artefacts\.s3/],
] as const)('a store (%s) that is away is named, with what to look at', async (store, said, fix) => {
  const artefacts = store === 's3' ? { store, s3: { bucket: 'reports' } } : { store, folder: '/mnt/shared' };
  const app = {
    settings: Settings.parse({ artefacts }),
    redis: undefined,
    files: {
      check: () => Promise.reject(new AppError('storage_unavailable', 'away')),
      foreignOwner: async () => undefined,
    },
  };
  const [line] = await examineArtefacts(app, undefined, { data: '/d' });
  expect(line).toMatchObject({ level: 'fail', subject: 'artefacts', said: expect.stringContaining(said) });
  expect(line?.fix).toMatch(fix);
  expect(line?.fix).not.toContain('doctor');
});

it('files of another queue are told, with what to do about it', async () => {
  const app = {
    settings: Settings.parse({}),
    redis: undefined,
    files: { check: async () => {}, foreignOwner: async () => '/d/scans/.queue-a' },
  };
  const [line] = await examineArtefacts(app, undefined, { data: '/d' });
  expect(line).toMatchObject({ level: 'warn', said: expect.stringContaining('another queue') });
  expect(line?.fix).toMatch(/restore queue\.db.* remove \/d\/scans\/\.queue-a/);
});
