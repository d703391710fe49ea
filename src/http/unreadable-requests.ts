import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { newTraceId } from '../model/ids.ts';
import { problemOf } from './problem.ts';
import { HttpRefusal } from './refusal.ts';

/** What Node calls those it does not take for a broken request. */
const REFUSALS: ReadonlyMap<unknown, HttpRefusal> = new Map([
  ['HPE_HEADER_OVERFLOW', new HttpRefusal(431, 'The address and the headers are larger than 16 KiB.', 'Send less.')],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', new HttpRefusal(413, 'The chunks of the body carry too much beside it.')],
  ['ERR_HTTP_REQUEST_TIMEOUT', new HttpRefusal(408, 'The request took too long to arrive.', 'Send all of it at once.')],
]);
const BROKEN = new HttpRefusal(400, 'The request is no HTTP/1.1.', 'Correct the request; the connection is closed.');

/**
 * Refuses what Node cannot read as everything else is refused: it would answer with a status and nothing else. Whatever
 * is said here, no route has seen the request.
 */
export function refuseUnreadable(server: Server): void {
  /** What is being answered. Of requests that were sent without a wait for the answers before them it is not known. */
  const open = new WeakMap<Duplex, ServerResponse | 'several'>();
  // One function for all: there are ten thousand streams.
  function forget(this: ServerResponse): void {
    if (open.get(this.req.socket) === this) open.delete(this.req.socket);
  }
  server.on('request', ({ socket }, response) => {
    open.set(socket, open.has(socket) ? 'several' : response);
    response.on('close', forget);
  });
  server.on('clientError', (error, socket) => {
    const answer = open.get(socket);
    const hasBegun = answer === 'several' || answer?.headersSent === true;
    if (socket.writable && !hasBegun) socket.write(textOf(REFUSALS.get('code' in error && error.code) ?? BROKEN));
    socket.destroy(error);
  });
  // HTTP lets a server pass over what it does not know.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

function textOf(refusal: HttpRefusal): string {
  const traceId = newTraceId();
  const { status } = refusal;
  const body = JSON.stringify(problemOf(refusal, traceId, status));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    `X-Trace-Id: ${traceId}`,
    '',
    body,
  ].join('\r\n');
}
