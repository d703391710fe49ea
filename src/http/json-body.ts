import type { Request } from 'express';
import { HttpRefusal } from './refusal.ts';

/**
 * The body of a request as JSON, read no further than the bound: an answer need not wait for the rest.
 * @param onSize Told how many bytes it has before it is parsed.
 * @throws HttpRefusal 413, 415, and 400 marked `isUnreadable` for what is no JSON
 */
export async function readJsonBody(
  request: Request,
  maxBytes: number,
  onSize?: (bytes: number) => void,
): Promise<unknown> {
  checkKind(request);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await bytesOf(request, maxBytes);
  onSize?.(bytes.length);
  const text = textOf(bytes);
  try {
    const body: unknown = JSON.parse(text);
    return body;
  } catch (error) {
    throw new UnreadableBody('The body is no JSON.', error);
  }
}

/** Not even JSON, or not all of it. */
export class UnreadableBody extends HttpRefusal {
  constructor(message: string, cause?: unknown) {
    super(400, message, 'Send one JSON value in UTF-8.');
    this.cause = cause;
  }
}

/** Compressed bodies are not taken: a small one could become a large one. */
function checkKind(request: Request): void {
  const type = request.headers['content-type'] ?? '';
  const [, kind, rest = ''] = /^\s*([^;]*?)\s*(?:;(.*))?$/.exec(type) ?? [];
  const charset = /(?:^|;)\s*charset\s*=\s*"?([^";]*)"?/i.exec(rest)?.[1]?.trim().toLowerCase();
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (kind?.toLowerCase() === 'application/json' && (charset ?? 'utf-8') === 'utf-8' && encoding === 'identity') return;
  throw new HttpRefusal(415, 'The body must be application/json in UTF-8, not compressed.', 'Set Content-Type.');
}

const tooLarge = (maxBytes: number): HttpRefusal =>
  new HttpRefusal(413, `The body is larger than ${maxBytes} bytes.`, 'Send less at once.');

function bytesOf(request: Request, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else end(() => reject(tooLarge(maxBytes)));
    };
    const end = (settle: () => void): void => {
      request.off('data', onData);
      // What still comes is thrown away, for no longer than a request may take.
      request.resume();
      settle();
    };
    request.on('data', onData);
    request.once('end', () => end(() => resolve(Buffer.concat(chunks, size))));
    request.once('error', (error) => end(() => reject(new UnreadableBody('The body was cut short.', error))));
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new UnreadableBody('The body is not UTF-8.', error);
  }
}
