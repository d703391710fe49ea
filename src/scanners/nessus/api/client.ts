import type { Pool } from 'undici';
import type { z } from 'zod';
import { AppError } from '../../../model/errors.ts';
import { openPool, type Address } from './connection.ts';
import {
  exchangeStream,
  exchangeText,
  type Exchange,
  type Outcome,
  type StreamReply,
  type TextReply,
} from './exchange.ts';
import { editionError, refusalError, scannerWords, unreachable, type Fault } from './faults.ts';
import { errorWords, isPage, readJson, readWritten } from './json-answer.ts';
import { createLogin, type Account, type Login } from './session.ts';
import type { Timing } from './timing.ts';

export interface ReadRequest<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** Status codes besides 200 whose answer is read. */
  readonly accepted?: readonly number[];
  /** Status codes that mean that there is no such thing. */
  readonly absent?: readonly number[];
  readonly maxBytes?: number;
  /** Tries in all; default 4. A probe has one. */
  readonly tries?: number;
}

export interface WriteRequest<T> {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Instead of `body`. */
  readonly raw?: { readonly type: string; readonly bytes: Buffer };
  readonly schema: z.ZodType<T>;
  /** Status codes the caller has an answer to. */
  readonly expected?: readonly number[];
  /** Of the body; the scanner may repeat them when it refuses. */
  readonly secrets?: readonly string[];
}

/** What became of a write. `unclear`: it may have been done or not; look before doing it again. */
export type Written<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unclear'; readonly fault: Fault };

/** One instance's API. Connections are shared by all its scans, and so is the login. */
export interface NessusClient {
  /** Host and port, for messages. */
  readonly where: string;
  /**
   * Undefined when there is no such thing. Tried again while it may help.
   * @throws AppError scanner_unreachable, scanner_login_failed, rate_limited
   */
  read<T>(request: ReadRequest<T>, signal: AbortSignal): Promise<T | undefined>;
  /**
   * Sent once. Only a refusal that certainly did nothing (an expired session, a rate limit) is answered by sending again.
   * @throws AppError scanner_edition_forbids_api, scanner_login_failed, rate_limited, scanner_unreachable (it did not leave)
   */
  write<T>(request: WriteRequest<T>, signal: AbortSignal): Promise<Written<T>>;
  /** The answer's body is the caller's to read or destroy. @throws AppError scanner_login_failed */
  download(path: string, signal: AbortSignal): Promise<Outcome<StreamReply>>;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly address: Address;
  readonly account: Account;
  /** Of one exchange of JSON, in milliseconds. */
  readonly answerMs: number;
  readonly timing: Timing;
}

const TRIES = 4;
const BASE_MS = 500;
const CAP_MS = 10_000;
/** A longer wait is left to whoever asked. */
const LONGEST_WAIT_MS = 120_000;
const WAITS_PER_WRITE = 3;
const MAX_JSON_BYTES = 64 << 20;
const MAX_LOGIN_BYTES = 64 << 10;

const TRANSIENT = new Set([429, 500, 502, 503, 504]);
/** A gateway gave up, or a server that was on its way up or down: whether the work was done is not said. */
const UNCLEAR = new Set([500, 502, 503, 504]);

export function createClient({ address, account, answerMs, timing }: ClientOptions): NessusClient {
  const { url } = address;
  const where = url.host;
  const base = url.pathname.replace(/\/+$/, '');
  const pool = openPool(address);
  const life = new AbortController();
  const login = createLogin(account, {
    where,
    timing,
    send: (request) =>
      exchangeText(
        pool,
        { ...request, path: base + request.path },
        { totalMs: answerMs, maxBytes: MAX_LOGIN_BYTES },
        life.signal,
      ),
  });
  const parts: Parts = { pool, login, base, where, answerMs, timing, life: life.signal };
  return {
    where,
    read: (request, signal) => read(parts, request, signal),
    write: (request, signal) => write(parts, request, signal),
    download: (path, signal) =>
      loggedIn(login, signal, (headers) => exchangeStream(pool, { method: 'GET', path: base + path, headers }, signal)),
    async close() {
      await login.close().catch(() => undefined);
      life.abort(new AppError('scan_aborted', 'The instance was taken away.'));
      await pool.destroy();
    },
  };
}

interface Parts {
  readonly pool: Pool;
  readonly login: Login;
  readonly base: string;
  readonly where: string;
  readonly answerMs: number;
  readonly timing: Timing;
  /** Aborts when the client is closed. */
  readonly life: AbortSignal;
}

/** One exchange with a login that is renewed once: a second 401 is final. A 401 has done nothing. */
async function loggedIn<T extends TextReply | StreamReply>(
  login: Login,
  signal: AbortSignal,
  exchange: (headers: Readonly<Record<string, string>>) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const headers = await login.headers(signal);
  const outcome = await exchange(headers);
  if (!outcome.ok || outcome.reply.status !== 401 || !login.expired(headers)) return outcome;
  if ('body' in outcome.reply) outcome.reply.body.destroy();
  return await exchange(await login.headers(signal));
}

const sendText = (
  { pool, login, base, answerMs }: Parts,
  { path, headers, ...rest }: Exchange,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Outcome<TextReply>> =>
  loggedIn(login, signal, (auth) =>
    exchangeText(
      pool,
      { ...rest, path: base + path, headers: { ...headers, ...auth } },
      { totalMs: answerMs, maxBytes },
      signal,
    ),
  );

/** A usable answer, or why there is none and whether the next try may give one. */
type Tried<T> =
  | { readonly kind: 'value'; readonly value: T | undefined }
  | { readonly kind: 'failed'; readonly error: AppError; readonly mayPass: boolean; readonly waitMs?: number };

async function read<T>(parts: Parts, request: ReadRequest<T>, signal: AbortSignal): Promise<T | undefined> {
  const tries = request.tries ?? TRIES;
  for (let attempt = 1; ; attempt += 1) {
    const tried = await readOnce(parts, request, signal);
    if (tried.kind === 'value') return tried.value;
    const { error, mayPass, waitMs = 0 } = tried;
    if (!mayPass || attempt >= tries || waitMs > LONGEST_WAIT_MS) throw error;
    await parts.timing.sleep(Math.max(waitMs, backOffMs(attempt, parts.timing.random())), signal);
  }
}

/** Full jitter, as in worker/retry.ts, but never nothing. */
const backOffMs = (attempt: number, random: number): number =>
  Math.floor((0.5 + random / 2) * Math.min(BASE_MS * 2 ** (attempt - 1), CAP_MS));

async function readOnce<T>(parts: Parts, request: ReadRequest<T>, signal: AbortSignal): Promise<Tried<T>> {
  const { where } = parts;
  const exchange: Exchange = { method: 'GET', path: request.path, headers: { accept: 'application/json' } };
  const outcome = await sendText(parts, exchange, request.maxBytes ?? MAX_JSON_BYTES, signal);
  if (!outcome.ok) {
    const { fault } = outcome;
    return { kind: 'failed', error: unreachable(where, fault), mayPass: fault.kind !== 'untrusted' };
  }
  const { reply } = outcome;
  const { status } = reply;
  if (status === 200 || request.accepted?.includes(status)) {
    const answer = readJson(reply, request.schema);
    if (answer.ok) return { kind: 'value', value: answer.value };
    if (status === 200) return odd(where, answer.why);
  }
  if (isPageError(reply)) return odd(where, pageFault(status).why);
  if (request.absent?.includes(status)) return { kind: 'value', value: undefined };
  return {
    kind: 'failed',
    error: refusalError({ where, status, words: wordsOf(parts, reply) }),
    mayPass: TRANSIENT.has(status),
    ...(reply.retryAfterMs === undefined ? {} : { waitMs: reply.retryAfterMs }),
  };
}

const odd = (where: string, why: string): Tried<never> => ({
  kind: 'failed',
  error: unreachable(where, { kind: 'odd', why }),
  mayPass: true,
});

/** Of a proxy; one that limits the rate, or gives up on the scanner, says so by its status. */
const isPageError = (reply: TextReply): boolean =>
  isPage(reply) && reply.status >= 400 && reply.status < 500 && reply.status !== 429;

const pageFault = (status: number): Fault => ({
  kind: 'odd',
  why: `it answers with a web page and status ${status} instead of JSON`,
});

const wordsOf = ({ login }: Parts, { text }: TextReply, more: readonly string[] = []): string =>
  scannerWords(errorWords(text), [...login.secrets, ...more]);

async function write<T>(parts: Parts, request: WriteRequest<T>, signal: AbortSignal): Promise<Written<T>> {
  const exchange = exchangeOf(request);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    // A write that has left is not taken back: what became of it has to be known.
    const outcome = await sendText(parts, exchange, MAX_JSON_BYTES, parts.life);
    if (!outcome.ok) return notAnswered(parts, outcome.fault);
    const { reply } = outcome;
    const waitMs = reply.retryAfterMs ?? backOffMs(attempt, parts.timing.random());
    if (reply.status !== 429 || attempt > WAITS_PER_WRITE || waitMs > LONGEST_WAIT_MS)
      return answered(parts, request, reply);
    await parts.timing.sleep(waitMs, signal);
  }
}

function exchangeOf<T>({ method, path, body, raw }: WriteRequest<T>): Exchange {
  const accept = { accept: 'application/json' };
  if (raw) return { method, path, headers: { ...accept, 'content-type': raw.type }, body: raw.bytes };
  if (body === undefined) return { method, path, headers: accept };
  return { method, path, headers: { ...accept, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function notAnswered<T>({ where }: Parts, fault: Fault): Written<T> {
  if (fault.kind === 'unsent' || fault.kind === 'untrusted') throw unreachable(where, fault);
  return { kind: 'unclear', fault };
}

function answered<T>(parts: Parts, request: WriteRequest<T>, reply: TextReply): Written<T> {
  const { status } = reply;
  if (status === 412) throw editionError(parts.where);
  if (isPageError(reply)) return { kind: 'unclear', fault: pageFault(status) };
  if (request.expected?.includes(status)) return { kind: 'refused', status };
  if (UNCLEAR.has(status)) return { kind: 'unclear', fault: { kind: 'odd', why: `it answers with status ${status}` } };
  if (status < 200 || status >= 300)
    throw refusalError({ where: parts.where, status, words: wordsOf(parts, reply, request.secrets) });
  const answer = readWritten(reply, request.schema);
  if (answer.ok) return { kind: 'done', value: answer.value };
  return { kind: 'unclear', fault: { kind: 'odd', why: answer.why } };
}
