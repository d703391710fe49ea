import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { Request, Response } from 'express';
import { ExportedFile } from '../../model/contract/export.ts';

type Answer = Readonly<Record<string, unknown>>;

/** Express would add an ETag of its own, and would not heed it when a client's `fetch` says `no-cache` beside it. */
export function sendJson(response: Response, status: number, body: Answer): void {
  response.status(status).type('application/json').end(JSON.stringify(body));
}

/** When to look again, as the answer says it. */
function hintPoll(response: Response, { poll_after_seconds: seconds }: Answer): void {
  if (typeof seconds === 'number') response.set('Retry-After', `${seconds}`);
}

/** 202 while there is more to come. */
export function sendAccepted(response: Response, body: Answer): void {
  hintPoll(response, body);
  response.location(`/api/scans/${String(body['scan_id'])}`);
  sendJson(response, body['finished_at'] === undefined ? 202 : 200, body);
}

/** 304 as long as nothing has changed but when to look again. */
export function sendStatus(request: Request, response: Response, body: Answer): void {
  const { poll_after_seconds: _, ...lasting } = body;
  const tag = `"${createHash('sha256').update(JSON.stringify(lasting)).digest('base64url').slice(0, 27)}"`;
  hintPoll(response, body);
  response.set({ ETag: `W/${tag}`, 'Cache-Control': 'private, no-cache' }).vary('Authorization');
  if (isKnown(request, tag)) response.status(304).end();
  else sendJson(response, 200, body);
}

/** Source: RFC 9110, 13.1.2: a list of tags, compared weakly. */
function isKnown(request: Request, tag: string): boolean {
  const known = request.get('if-none-match') ?? '';
  return known.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
}

/** What is said of a file, and not of the problem that is sent in its place. */
const OF_THE_FILE = ['ETag', 'Content-Disposition', 'Repr-Digest', 'Accept-Ranges'] as const;

/** Also for ranges, so that a broken download can go on. */
export async function sendFile(request: Request, response: Response, answer: Answer, scanId: string): Promise<void> {
  const { path, media_type: mediaType, sha256 } = ExportedFile.parse(answer);
  const name = basename(path);
  const extension = name.slice(name.indexOf('.'));
  response.set({
    ETag: `"${sha256}"`,
    'Cache-Control': 'private, no-cache',
    'Content-Disposition': `attachment; filename="${scanId}${extension}"`,
    'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    // Scanned systems wrote parts of it: a browser that shows it anyway runs nothing.
    'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  });
  response.vary('Authorization');
  if (isKnown(request, `"${sha256}"`)) {
    response.status(304).end();
    return;
  }
  response.set('Content-Type', mediaType);
  // Source: RFC 9110, 13.1.4 and 14.2: without a date to hold it against, and for HEAD, these count for nothing.
  delete request.headers['if-unmodified-since'];
  if (request.method === 'HEAD') delete request.headers.range;
  const options = { root: dirname(path), etag: false, lastModified: false, cacheControl: false };
  await new Promise<void>((resolve, reject) => {
    response.sendFile(name, options, (error: unknown) => {
      // A client that goes away in the middle is no failure of ours.
      if (!error || response.headersSent) return resolve();
      for (const name of OF_THE_FILE) response.removeHeader(name);
      reject(error);
    });
  });
}
