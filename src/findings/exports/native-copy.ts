import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError } from '../../model/errors.ts';

/** Enough to tell formats apart. */
const HEAD = 64 << 10;

export interface NativeKind {
  readonly mediaType: string;
  readonly extension: string;
}

export interface NativeReport extends NativeKind {
  readonly bytes: number;
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** By what the file begins with: what an engine calls its format is not kept. */
function kindOf(head: string): NativeKind {
  const text = head.replace(/^\uFEFF/, '').trimStart();
  if (text.startsWith('<')) return { mediaType: 'application/xml', extension: 'xml' };
  const [line = '', rest] = text.split('\n', 2);
  if (/^[[{]/.test(text)) {
    return rest !== undefined && rest.startsWith('{') && isJson(line)
      ? { mediaType: 'application/x-ndjson', extension: 'jsonl' }
      : { mediaType: 'application/json', extension: 'json' };
  }
  return { mediaType: 'application/octet-stream', extension: 'bin' };
}

const missing = (cause: unknown): AppError =>
  new AppError('storage_unusable', 'The raw report of this scan is no longer there.', {
    cause,
    hint: 'The findings are: use another format.',
  });

/** @throws AppError storage_unusable when the report is gone */
export async function nativeKind(path: string): Promise<NativeReport> {
  const handle = await open(path).catch((error: unknown) => {
    throw missing(error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const { size: bytes } = await handle.stat();
    return { ...kindOf(buffer.toString('utf8', 0, bytesRead)), bytes };
  } finally {
    await handle.close();
  }
}

/** The bytes of a raw report. */
export const nativeBytes = (path: string): AsyncIterable<Buffer> => createReadStream(path, { highWaterMark: 1 << 20 });
