import { relative, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cachedAt, cachePath } from '../../../src/findings/remote/cache-place.ts';
import { AppError } from '../../../src/model/errors.ts';
import { newScanId } from '../../../src/model/ids.ts';

const FOLDER = '/data/cache/artefacts';
const SHA = 'ab'.repeat(32);
const hex = fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...'0123456789abcdef'.split('')) });

/** Text that tries to get out, and any other. */
const nasty = fc.oneof(
  fc.string({ unit: fc.constantFrom('.', '/', '\\', '1', 'a', '\0', '-', '%', ' ', ':', '~', '\n') }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('..', '1/..', '1/../../x', '/etc/passwd', 'C:\\x', '1/C:x', '1/a.db', '1//a'),
);

describe('a path of the cache', () => {
  it('is inside of its folder or refused, whatever the record says', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, fc.double(), (scanId, path, sha256, bytes) => {
        for (const artefact of [
          { kind: 'findings', path, sha256: SHA, bytes: 1 } as const,
          { kind: 'findings', path: '1/a.db', sha256, bytes } as const,
        ]) {
          let made: string | undefined;
          try {
            made = cachePath(FOLDER, artefact.sha256 === SHA ? newScanId() : scanId, artefact);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            expect(error).toMatchObject({ code: 'storage_unusable' });
            continue;
          }
          const way = relative(FOLDER, made).split(sep);
          expect(way).toHaveLength(5);
          expect(way.every((part) => part !== '' && part !== '..' && part !== '.')).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('says what it is the copy of', () => {
    fc.assert(
      fc.property(hex, fc.nat(), fc.nat(9_999), (sha256, bytes, epoch) => {
        const scanId = newScanId();
        const path = cachePath(FOLDER, scanId, { kind: 'raw_report', path: `${epoch}/report.raw`, sha256, bytes });
        expect(cachedAt(FOLDER, path)).toEqual({ path, key: `${scanId}/${epoch}/report.raw`, file: { sha256, bytes } });
      }),
    );
  });

  it('is told from every other', () => {
    const scanId = newScanId();
    const fine = `${FOLDER}/${scanId}/${SHA}-1/${scanId}/1/a.db`;
    expect(cachedAt(FOLDER, fine)).toBeDefined();
    const others = ['', FOLDER, `${FOLDER}/x`, `/elsewhere/${scanId}/1/a.db`, `${fine}/more`, `${FOLDER}/../${fine}`];
    others.push(fine.replace(`/${scanId}/1`, `/${newScanId()}/1`), fine.replace(SHA, 'ab'), fine.replace('-1/', '-x/'));
    for (const path of others) expect(cachedAt(FOLDER, path), path).toBeUndefined();
  });
});
