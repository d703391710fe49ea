import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { Refusal, refusal } from './answer.ts';
import { FORBIDDEN, LOGGED_OUT, answerTo, createRateLimit } from './answering.ts';
import type { AuthKind } from './call.ts';
import type { Certificate } from './certificate.ts';
import type { Fault } from './fault.ts';
import { markerIn, type Journal, type JournalEntry } from './journal.ts';
import { findRoute, type Found } from './router.ts';
import { hasScanApi } from './scenario.ts';
import { faultyAnswer, reset, send } from './sending.ts';
import type { Server } from './server-state.ts';

const MOST_BODY_BYTES = 64 << 20;

export interface Deps {
  readonly server: Server;
  readonly journal: Journal;
  /** Undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  /** Routes of the simulator itself, below `/simulator`. */
  readonly control: (request: IncomingMessage, body: Buffer) => Answer;
  /** Aborted when the simulator closes: whatever hangs ends. */
  readonly stop: AbortSignal;
}

/** The simulated API on a socket of its own; not listening yet. */
export function createApi(deps: Deps): HttpServer {
  const limit = createRateLimit(deps.server);
  let inFlight = 0;
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    void (async () => {
      if (request.url?.startsWith('/simulator/')) return answerControl(deps, request, response);
      inFlight += 1;
      try {
        await answerOne(deps, limit, { request, response, inFlight });
      } finally {
        inFlight -= 1;
      }
    })().catch((error: unknown) => {
      // A defect of the simulator: the client sees what Nessus says when it is broken, the person at the terminal why.
      process.emitWarning(error instanceof Error ? error : String(error));
      if (!response.headersSent) response.writeHead(500).end();
      else response.destroy();
    });
  };
  const options = { requestTimeout: 0, headersTimeout: 60_000 };
  if (!deps.certificate) return createHttpServer(options, listen);
  return createHttpsServer({ ...options, cert: deps.certificate.certificate, key: deps.certificate.key }, listen);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MOST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answerControl(deps: Deps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const { status, headers, body: text } = body ? deps.control(request, body) : refusal(new Refusal(413, 'Too long'));
  response.writeHead(status, headers).end(typeof text === 'string' ? text : '');
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly inFlight: number;
}

type Noted = (status: number | null) => void;

async function answerOne(deps: Deps, limit: () => Answer | undefined, exchange: Exchange): Promise<void> {
  const { server, stop } = deps;
  const { request, response } = exchange;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator');
  const method = request.method ?? 'GET';
  const found = findRoute(method, pathname, server.scenario.edition);
  const auth =
    server.scenario.edition === 'tenable_vm' && request.headers['x-cookie']
      ? 'refused'
      : server.sessions.check(request.headers);
  const fault = server.faults.next({ method, path: pathname, route: routeOf(found) ?? undefined });
  const note = noting(deps, exchange, { found, path: pathname, query: searchParams, auth, fault });
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) return note(null)(null);
  const noted = note(markerIn(body.subarray(0, 100_000).toString('utf8')));
  response.once('close', () => noted(null));
  if (fault?.do === 'delay') await sleep(fault.ms, undefined, { signal: stop }).catch(() => undefined);
  if (fault?.do === 'hang') return untilClosed(response, stop);
  if (fault?.do === 'reset') return void (noted(null), reset(response));
  const answer =
    limit() ??
    faultyAnswer(fault) ??
    (fault?.do === 'logged_out' ? LOGGED_OUT : undefined) ??
    (fault?.do === 'forbidden' ? FORBIDDEN : undefined) ??
    answerTo(server, found, { query: searchParams, headers: request.headers, body, auth });
  noted(answer.status);
  if (fault?.do === 'reset_after_success' || isLost(server, found, answer)) return reset(response);
  if (answer === FORBIDDEN && server.scenario.forbidden === 'head') return headOnly(response, answer);
  await send(response, answer, fault, stop);
}

const routeOf = (found: Found | 404 | 405): string | null => (typeof found === 'number' ? null : found.route.path);

/** The ways of an edition without scan_api that say nothing. */
function isLost({ scenario }: Server, found: Found | 404 | 405, answer: Answer): boolean {
  const isWrite = typeof found !== 'number' && found.route.needsScanApi === true && !hasScanApi(scenario.edition);
  if (answer === FORBIDDEN) return scenario.forbidden === 'reset';
  return isWrite && scenario.forbidden === 'reset_after_success' && answer.status === 200;
}

/** Promises 32 bytes and is gone before the first. */
function headOnly(response: ServerResponse, { status, headers }: Answer): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  response.socket?.destroySoon();
}

async function untilClosed(response: ServerResponse, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface Facts {
  readonly found: Found | 404 | 405;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly auth: AuthKind;
  readonly fault: Fault | undefined;
}

/** Arrived now; written once, with the first status it gets. */
function noting(
  { server, journal }: Deps,
  { request, inFlight }: Exchange,
  facts: Facts,
): (inBody: string | null) => Noted {
  const seq = journal.nextSeq();
  const at = Math.floor(server.clock.now());
  const id =
    typeof facts.found === 'number'
      ? undefined
      : facts.found.route.path.startsWith('/scans/')
        ? facts.found.params['id']
        : undefined;
  const scan = id === undefined ? undefined : server.state.scan(Number(id));
  return (inBody) => {
    let isDone = false;
    return (status) => {
      if (isDone) return;
      isDone = true;
      const entry: JournalEntry = {
        seq,
        at,
        method: request.method ?? '',
        path: facts.path,
        route: routeOf(facts.found),
        query: Object.fromEntries(facts.query),
        scan_id: id === undefined ? null : Number(id),
        scan_origin: scan?.origin ?? null,
        marker: (scan && markerIn(scan.name, scan.description)) ?? inBody,
        status,
        auth: facts.auth,
        in_flight: inFlight,
        fault: facts.fault?.do ?? null,
      };
      journal.add(entry);
    };
  };
}
