import { isIPv6 } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Client, buildConnector } from 'undici';
import { tlsOptions } from './handshake.ts';
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from './limits.ts';
import { codeOf, isPinned, openSocket, type Endpoint, type Waits } from './wire.ts';

export interface WebOrigin extends Endpoint {
  readonly scheme: 'http' | 'https';
  /** Name or address for the Host header and SNI. */
  readonly name: string;
  readonly isAddress: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; every value of a repeated header. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** At most `MAX_BODY_BYTES`, read as UTF-8 with stand-ins for what is none. */
  readonly body: string;
}

/** Undefined `answer`: there was none that could be read, and `why`. */
export interface HttpResult {
  readonly answer?: HttpAnswer;
  readonly why?: string;
  /** The whole time for an answer went by; an `answer` has what came until then. */
  readonly isLate: boolean;
}

export type Method = 'GET' | 'TRACE';

/** One HTTP/1.1 connection to a checked address. Follows no redirect, keeps no cookie. */
export interface WebClient {
  request(method: Method, path: string, headers?: Readonly<Record<string, string>>): Promise<HttpResult>;
  /** Resolves when its sockets are gone. */
  close(): Promise<void>;
}

/** Scheme, name and port as in a URL; a default port is left out. */
export function originText({ scheme, name, port }: WebOrigin): string {
  const host = isIPv6(name) ? `[${name}]` : name;
  const isDefault = port === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${host}${isDefault ? '' : `:${port}`}`;
}

const USER_AGENT = 'scanmux-baseline (authorised security scan)';

/** Loads undici on first use, so that starting scanmux does not pay for it. */
export async function openWebClient(
  origin: WebOrigin,
  { waits, traceId }: { waits: Waits; traceId: string },
  signal: AbortSignal,
): Promise<WebClient> {
  const undici = await import('undici');
  const client = new undici.Client(originText(origin), {
    connect: connector(origin, waits),
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: waits.answerMs,
    bodyTimeout: waits.answerMs,
    pipelining: 1,
    allowH2: false,
  });
  client.on('connectionError', () => undefined);
  return {
    request: (method, path, headers = {}) =>
      // With the trace id, whoever runs the target finds the scan behind a line of their own log.
      ask(client, { method, path, headers: { 'x-trace-id': traceId, ...headers } }, waits, signal),
    close: () => client.destroy(),
  };
}

/** Connects to the checked address, whatever the name in the URL resolves to by now. */
function connector(origin: WebOrigin, waits: Waits): buildConnector.connector {
  return (_options, callback) => {
    const tcp = openSocket(origin);
    const socket =
      origin.scheme === 'http'
        ? tcp
        : connectTls({ ...tlsOptions(origin.isAddress ? {} : { servername: origin.name }), socket: tcp });
    let isDone = false;
    const done = (error: Error | undefined): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      if (!error) return callback(null, socket);
      socket.destroy();
      tcp.destroy();
      callback(error, null);
    };
    const timer = setTimeout(() => done(new Error('no connection in time')), waits.connectMs + waits.answerMs);
    tcp.on('error', done);
    socket.on('error', done);
    socket.once('close', () => done(new Error('closed while connecting')));
    socket.once(origin.scheme === 'http' ? 'connect' : 'secureConnect', () =>
      done(isPinned(tcp, origin) ? undefined : new Error('connected to another address')),
    );
  };
}

interface Question {
  readonly method: Method;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function ask(
  client: Client,
  { method, path, headers }: Question,
  waits: Waits,
  signal: AbortSignal,
): Promise<HttpResult> {
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const timer = setTimeout(stop, waits.connectMs + waits.answerMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const response = await client.request({
      method,
      path,
      headers: { 'user-agent': USER_AGENT, accept: '*/*', ...headers },
      signal: limit.signal,
    });
    const { body, code } = await readHead(response.body);
    const answer = { status: response.statusCode, headers: headerMap(response.headers), body };
    return { answer, isLate: limit.signal.aborted || isTimeout(code) };
  } catch (error) {
    const isLate = limit.signal.aborted || isTimeout(codeOf(error));
    return { why: isLate ? 'no whole answer in time' : whyOf(codeOf(error)), isLate };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

const isTimeout = (code: string | undefined): boolean =>
  code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';

function whyOf(code: string | undefined): string {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return `its headers are longer than ${MAX_HEADER_BYTES} bytes`;
  if (code?.startsWith('HPE_')) return 'the answer is not HTTP/1.1';
  return 'the connection ended without an answer';
}

/**
 * Reads up to the cap; the connection is dropped rather than drained when there is more. A body that breaks off or never
 * ends gives what came: status and headers were an answer already.
 */
async function readHead(
  body: AsyncIterable<unknown> & { on(event: 'error', listener: () => void): unknown },
): Promise<{ readonly body: string; readonly code: string | undefined }> {
  body.on('error', () => undefined);
  const chunks: Buffer[] = [];
  let length = 0;
  let code: string | undefined;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MAX_BODY_BYTES) break;
    }
  } catch (error) {
    code = codeOf(error); // Cut off, too slow, or aborted.
  }
  return { body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8'), code };
}

function headerMap(headers: Readonly<Record<string, string | string[] | undefined>>): Map<string, readonly string[]> {
  const map = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) map.set(name.toLowerCase(), Array.isArray(value) ? value : [value]);
  return map;
}
