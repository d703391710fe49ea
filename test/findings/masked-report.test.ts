import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { tempFolder } from './reports.ts';

const SECRET = 'a secret <of> some length';

async function stored(chunks: readonly string[], { secrets = [SECRET], maxBytes = 1 << 20 } = {}) {
  const files = createScanFiles(await tempFolder());
  const sink = await files.openReport('scan', 1, maxBytes, secrets);
  const failure = await pipeline(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), sink.writable).catch(
    (error: unknown) => error,
  );
  const { artefact, cutOff } = await sink.close();
  const bytes = await readFile(files.pathOf('scan', artefact));
  return { artefact, cutOff, failure, bytes, text: bytes.toString() };
}

describe('a raw report with secrets', () => {
  it('is stored with masks in their place, and named by the hash of what is stored', async () => {
    const { artefact, bytes, text } = await stored([
      `x ${SECRET.slice(0, 9)}`,
      SECRET.slice(9, 10),
      `${SECRET.slice(10)} y`,
      'a se',
    ]);
    expect(text).toBe('x *** ya se');
    expect(artefact).toMatchObject({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('counts against its cap as it is stored, and is never cut through a secret', async () => {
    const report = Array.from({ length: 100 }, () => `<${SECRET}>`);
    expect(await stored(report, { maxBytes: 500 })).toMatchObject({ cutOff: false, text: '<***>'.repeat(100) });
    expect(await stored(report, { maxBytes: 499 })).toMatchObject({
      cutOff: true,
      text: '<***>'.repeat(100).slice(0, 499),
    });
  });

  it('is stored as it came where there are none', async () => {
    expect(await stored([SECRET, 'abc'], { secrets: [] })).toMatchObject({ text: `${SECRET}abc`, failure: undefined });
  });

  it.each([
    [4, 'begun a se'],
    [SECRET.length - 1, 'begun ***'],
  ])(
    'that its engine stops writing after %i characters of one shows no more than a few of them',
    async (length, text) => {
      const files = createScanFiles(await tempFolder());
      const sink = await files.openReport('scan', 1, 1_000, [SECRET]);
      sink.writable.write(`begun ${SECRET.slice(0, length)}`);
      const { artefact } = await sink.close();
      expect(await readFile(files.pathOf('scan', artefact), 'utf8')).toBe(text);
    },
  );
});
