import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import { faultOf, type Fault } from './faults.ts';

/** One request, complete. */
export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Reply {
  readonly status: number;
  /** Lower case, without parameters. */
  readonly type: string;
  /** Milliseconds, when the other side asks to wait. */
  readonly retryAfterMs?: number;
}

export interface TextReply extends Reply {
  readonly text: string;
}

export interface StreamReply extends Reply {
  readonly body: Readable;
}

export type Outcome<T> = { readonly ok: true; readonly reply: T } | { readonly ok: false; readonly fault: Fault };

export interface Limits {
  /** From the first byte sent to the last one received. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

/** Sends a request and reads the whole answer. @throws only the reason of `signal` */
export async function exchangeText(
  pool: Pool,
  request: Exchange,
  { totalMs, maxBytes }: Limits,
  signal: AbortSignal,
): Promise<Outcome<TextReply>> {
  // A total limit: one byte now and then would satisfy any limit on silence for ever.
  const limited = AbortSignal.any([signal, AbortSignal.timeout(totalMs)]);
  try {
    const { reply, body } = await send(pool, request, limited);
    const text = await readText(body, maxBytes).catch((error: unknown) => {
      // The head of a refusal says it all. Nessus closes some connections without the body it announced.
      if (reply.status < 400) throw error;
      return '';
    });
    signal.throwIfAborted();
    if (text === undefined)
      return { ok: false, fault: { kind: 'odd', why: `its answer is longer than ${maxBytes} bytes` } };
    return { ok: true, reply: { ...reply, text } };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, fault: faultOf(error) };
  }
}

/** Sends a request and leaves the answer's body to the caller, who must read or destroy it. */
export async function exchangeStream(
  pool: Pool,
  request: Exchange,
  signal: AbortSignal,
): Promise<Outcome<StreamReply>> {
  try {
    const { reply, body } = await send(pool, request, signal);
    // Whoever reads it hears of errors; one that is given up unread must not end the process.
    body.on('error', () => undefined);
    return { ok: true, reply: { ...reply, body } };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, fault: faultOf(error) };
  }
}

async function send(pool: Pool, { method, path, headers, body }: Exchange, signal: AbortSignal) {
  const answer = await pool.request({ method, path, headers, signal, ...(body === undefined ? {} : { body }) });
  const type =
    String(answer.headers['content-type'] ?? '')
      .split(';')[0]
      ?.trim()
      .toLowerCase() ?? '';
  const wait = retryAfter(answer.headers['retry-after']);
  const reply: Reply = { status: answer.statusCode, type, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  return { reply, body: answer.body };
}

async function readText(body: Readable, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxBytes) {
      body.destroy();
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
