import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { KnownFile } from './objects.ts';

/**
 * Lets through exactly the bytes of a known file: the stream fails with `mismatch` as soon as there are more, and before
 * its end when they are not the right ones, so that whoever reads it never takes a wrong file for a whole one.
 */
export function exactly({ bytes, sha256 }: KnownFile, mismatch: () => Error): Transform {
  const hash = createHash('sha256');
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes) return done(mismatch());
      hash.update(chunk);
      return done(undefined, chunk);
    },
    flush: (done) => done(seen === bytes && hash.digest('hex') === sha256 ? undefined : mismatch()),
  });
}
