import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Refusal, refusal } from './answer.ts';
import { createRateLimit } from './answering.ts';
import type { Certificate } from './certificate.ts';
import { answerOne, bodyOf, type Deps } from './exchange.ts';

/** The simulated API on a socket of its own; not listening yet. @param certificate undefined: plain HTTP */
export function createApi(deps: Deps, certificate: Certificate | undefined): HttpServer {
  const limit = createRateLimit(deps.server);
  /** By the port of the client. A TLS socket cannot reset: the TCP socket below it can. */
  const connections = new Map<number, Socket>();
  const reset = ({ remotePort = 0 }: Socket): void => {
    connections.get(remotePort)?.resetAndDestroy();
  };
  const { server: state } = deps;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.startsWith('/simulator/')) return answerControl(deps, request, response);
    state.inFlight += 1;
    try {
      await answerOne(deps, limit, { request, response, inFlight: state.inFlight, reset: () => reset(request.socket) });
    } finally {
      state.inFlight -= 1;
    }
  };
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    answer(request, response).catch((error: unknown) => {
      // A defect of the simulator: the client sees what it sees of a broken Nessus, the person at the terminal why.
      process.emitWarning(error instanceof Error ? error : String(error));
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
  const options = { requestTimeout: 0, headersTimeout: 60_000 };
  const server = certificate
    ? createHttpsServer({ ...options, cert: certificate.certificate, key: certificate.key }, listen)
    : createHttpServer(options, listen);
  return server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket;
    connections.set(remotePort, socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (connections.get(remotePort) === socket) connections.delete(remotePort);
    });
  });
}

async function answerControl(deps: Deps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const answer = body ? deps.control(request, body) : refusal(new Refusal(413, 'Too long'));
  response.writeHead(answer.status, answer.headers).end(typeof answer.body === 'string' ? answer.body : '');
}
