import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { FORBIDDEN, answerTo, faultyAnswer } from './answering.ts';
import type { Fault } from './fault.ts';
import type { Journal } from './journal.ts';
import { JournalNote, type Asked } from './journal-note.ts';
import { findRoute, type Found } from './router.ts';
import { hasScanApi } from './scenario.ts';
import { send } from './sending.ts';
import type { Server } from './server-state.ts';

const MOST_BODY_BYTES = 64 << 20;

export interface Deps {
  readonly server: Server;
  readonly journal: Journal;
  /** Routes of the simulator itself, below `/simulator`. */
  readonly control: (request: IncomingMessage, body: Buffer) => Answer;
  /** Aborted when the simulator closes: whatever hangs ends. */
  readonly stop: AbortSignal;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Requests being answered, with this one. */
  readonly inFlight: number;
  /** Cuts the connection, so that the client sees a reset and not an end. */
  readonly reset: () => void;
}

/** Undefined for a body longer than anything a client has to say. @throws when the client goes away */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
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

/** One request from its arrival to the end of its answer, with one entry in the journal. */
export async function answerOne(deps: Deps, limit: () => Answer | undefined, exchange: Exchange): Promise<void> {
  const asked = understood(deps.server, exchange.request);
  const note = new JournalNote(deps, asked, exchange.inFlight);
  try {
    const body = await bodyOf(exchange.request).catch(() => undefined);
    if (body === undefined) return exchange.reset();
    note.read(body);
    if (!(await isDone(asked.fault, exchange, deps))) return;
    // A client that has gone does not keep a server from doing what it was asked for.
    const answer =
      limit() ?? faultyAnswer(asked.fault) ?? answerTo(deps.server, asked.found, callOf(asked, exchange, body));
    note.write(answer.status);
    await deliver(answer, asked, exchange, deps);
  } finally {
    note.write(null);
  }
}

const callOf = (
  { query, auth }: Asked,
  { request: { headers } }: Exchange,
  body: Buffer,
): Parameters<typeof answerTo>[2] => ({
  query,
  headers,
  body,
  auth,
});

/** Waits, hangs up or never speaks, as the fault wants it. @returns whether the request is looked at then */
async function isDone(fault: Fault | undefined, exchange: Exchange, { server, stop }: Deps): Promise<boolean> {
  const { response, reset } = exchange;
  switch (fault?.do) {
    case 'delay':
      await sleep(fault.ms, undefined, { signal: stop }).catch(() => undefined);
      return !stop.aborted;
    case 'hang':
      await untilReleased(server, response, stop);
      return !response.destroyed && !stop.aborted;
    case 'reset':
      reset();
      return false;
    default:
      return true;
  }
}

async function deliver(
  answer: Answer,
  { fault, found }: Asked,
  { response, reset }: Exchange,
  { server, stop }: Deps,
): Promise<void> {
  if (fault?.do === 'reset_after_success' || isLost(server, found, answer)) return reset();
  if (answer === FORBIDDEN && server.scenario.forbidden === 'head') return headOnly(response, answer);
  if (fault?.do === 'hang_after_success') await untilReleased(server, response, stop);
  await send(response, answer, fault, stop);
}

function understood(
  { scenario, sessions, faults }: Server,
  { method = 'GET', url = '/', headers }: IncomingMessage,
): Asked {
  const [path = '/', search = ''] = url.split('?', 2);
  const query = new URLSearchParams(search);
  const found = findRoute(method, path, scenario.edition);
  const hasNoSessions = scenario.edition === 'tenable_vm' && headers['x-cookie'] !== undefined;
  const auth = hasNoSessions ? 'refused' : sessions.check(headers);
  return {
    method,
    path,
    query,
    found,
    auth,
    fault: faults.next({ method, path, route: typeof found === 'number' ? undefined : found.route.path }),
  };
}

/** The ways of an edition without scan_api that say nothing. */
function isLost({ scenario }: Server, found: Found | 404 | 405, answer: Answer): boolean {
  if (answer === FORBIDDEN) return scenario.forbidden === 'reset';
  const isWrite = typeof found !== 'number' && found.route.needsScanApi === true && !hasScanApi(scenario.edition);
  return isWrite && scenario.forbidden === 'reset_after_success' && answer.status === 200;
}

/** Promises 32 bytes and is gone before the first. */
function headOnly(response: ServerResponse, { status, headers }: Answer): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  response.socket?.destroySoon();
}

/** Or until the client gives up. */
function untilReleased({ held }: Server, response: ServerResponse, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const release = (): void => {
      held.delete(release);
      stop.removeEventListener('abort', release);
      resolve();
    };
    held.add(release);
    response.once('close', release);
    stop.addEventListener('abort', release, { once: true });
  });
}
