import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { Fault } from './fault.ts';

/** Sends an answer, well or badly. Resolves once nothing more will be sent. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  stop: AbortSignal,
): Promise<void> {
  const lengthened = withLength(answer, fault);
  response.writeHead(answer.status, lengthened.headers);
  switch (fault?.do) {
    case 'half_json':
      return void response.end(cut(answer));
    case 'empty_body':
      return void response.end();
    case 'endless_body':
      return endless(response, stop);
    case 'wrong_length':
      await pour(response, answer, stop);
      response.end();
      return void response.socket?.end();
    case 'truncate':
    case 'cut_clean':
      await pour(response, answer, stop, fault.bytes);
      if (fault.do === 'cut_clean') return void response.end();
      return void response.socket?.destroy();
    case 'slow_body':
      return drip(response, answer, fault, stop);
    default:
      await pour(response, answer, stop);
      return void response.end();
  }
}

const textOf = ({ body }: Answer): string => (typeof body === 'string' ? body : '');

/** Half of it, as a proxy that gave up sends it. */
const cut = (answer: Answer): string => textOf(answer).slice(0, Math.ceil(textOf(answer).length / 2));

/** An announced length stays away where less or more is sent on purpose, and lies where it shall. */
function withLength(answer: Answer, fault: Fault | undefined): Answer {
  const { 'Content-Length': announced, ...others } = answer.headers;
  const { body } = answer;
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  if (fault?.do === 'truncate' || fault === undefined || fault.do === 'slow_body' || fault.do === 'delay') {
    const known = length === undefined ? announced : String(length);
    return { ...answer, headers: known === undefined ? others : { ...others, 'Content-Length': known } };
  }
  if (fault.do !== 'wrong_length') return { ...answer, headers: others };
  return {
    ...answer,
    headers: { ...others, 'Content-Length': String((length ?? 0) + fault.bytes), Connection: 'close' },
  };
}

const piecesOf = ({ body }: Answer): AsyncIterable<string> | Iterable<string> =>
  typeof body === 'string' ? [body] : body.pieces();

/** @param most bytes after which it stops */
async function pour(
  response: ServerResponse,
  answer: Answer,
  stop: AbortSignal,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  let left = most;
  for await (const piece of piecesOf(answer)) {
    const bytes = Buffer.from(piece).subarray(0, Math.min(left, Buffer.byteLength(piece)));
    left -= bytes.length;
    if (!(await wrote(response, bytes, stop)) || left <= 0) break;
  }
  if (most !== Number.POSITIVE_INFINITY) await flushed(response);
}

/** What was written is on its way before the connection is cut. */
const flushed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed || !response.writable) resolve();
    else response.write('', () => resolve());
    response.once('close', resolve);
  });

/** Waits for the client to read on. False when it has gone. */
async function wrote(response: ServerResponse, bytes: Uint8Array, stop: AbortSignal): Promise<boolean> {
  if (response.destroyed || stop.aborted) return false;
  if (response.write(bytes)) return true;
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, stop]);
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => undefined);
  settled.abort();
  return !response.destroyed && !stop.aborted;
}

async function drip(response: ServerResponse, answer: Answer, { ms, bytes }: Fault, stop: AbortSignal): Promise<void> {
  for await (const piece of piecesOf(answer)) {
    const whole = Buffer.from(piece);
    for (let at = 0; at < whole.length; at += Math.max(1, bytes)) {
      if (!(await wrote(response, whole.subarray(at, at + Math.max(1, bytes)), stop))) return;
      await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  response.end();
}

/** Never ends by itself: shows whether a client caps what it reads. */
async function endless(response: ServerResponse, stop: AbortSignal): Promise<void> {
  const piece = Buffer.alloc(65_536, ' ');
  while (await wrote(response, piece, stop)) await new Promise(setImmediate);
}
