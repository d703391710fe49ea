import { isIP, connect as connectTcp, type Socket } from 'node:net';
import { AppError } from '../../model/errors.ts';

/** Where to connect: a checked address, never a name. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Waits {
  /** Milliseconds for a connection to be accepted. */
  readonly connectMs: number;
  /** Milliseconds for one answer, from the first byte sent to the last one read. */
  readonly answerMs: number;
}

/** `open` and `closed` are positive evidence; `filtered` is silence; `unreachable` is a refusal on the way. */
export type PortState = 'open' | 'closed' | 'filtered' | 'unreachable';

export interface Exchange {
  readonly state: PortState;
  readonly bytes: Buffer;
  /** How an open connection ended: the other side closed it, enough was read, or nothing came in time. */
  readonly ending: 'closed' | 'enough' | 'silence';
  /** System error code, e.g. EHOSTUNREACH. */
  readonly code?: string;
}

/** Opens a socket to a checked address. @throws AppError internal_error for a name: nothing is resolved here. */
export function openSocket({ address, port }: Endpoint): Socket {
  if (isIP(address) === 0) throw new AppError('internal_error', 'The baseline engine was given a name to connect to.');
  return connectTcp({ host: address, port, noDelay: true });
}

/** False when the system connected elsewhere than to the checked address. */
export const isPinned = (socket: Socket, { address }: Endpoint): boolean =>
  socket.remoteAddress === undefined || socket.remoteAddress === address;

export function stateOf(code: string | undefined): PortState {
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'closed';
  return code === 'ETIMEDOUT' ? 'filtered' : 'unreachable';
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

export interface ExchangeOptions extends Waits {
  readonly send?: string;
  readonly maxBytes: number;
  /** True once nothing more is needed. */
  readonly isEnough?: (bytes: Buffer) => boolean;
}

/**
 * One connection: sends at most one message and reads the answer. Never rejects; the socket is gone when it resolves.
 * On abort it resolves at once with what it has.
 */
export function exchange(endpoint: Endpoint, options: ExchangeOptions, signal: AbortSignal): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = openSocket(endpoint);
    let state: PortState = 'filtered';
    let ending: Exchange['ending'] = 'silence';
    let code: string | undefined;
    let bytes: Buffer = Buffer.alloc(0);
    let timer = setTimeout(() => socket.destroy(), options.connectMs);
    const stop = (): void => void socket.destroy();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();

    socket.once('connect', () => {
      clearTimeout(timer);
      if (!isPinned(socket, endpoint)) return stop();
      state = 'open';
      if (options.maxBytes === 0) return stop();
      timer = setTimeout(stop, options.answerMs);
      if (options.send !== undefined) socket.write(options.send);
    });
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]).subarray(0, options.maxBytes);
      if (bytes.length < options.maxBytes && !options.isEnough?.(bytes)) return;
      ending = 'enough';
      stop();
    });
    socket.once('end', () => {
      ending = 'closed';
      stop();
    });
    socket.once('error', (error) => {
      code = codeOf(error);
      if (state === 'open') ending = 'closed';
      else state = stateOf(code);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve({ state, bytes, ending, ...(code === undefined ? {} : { code }) });
    });
  });
}

/** Whether a port is open, by a connection that is closed at once. */
export const probePort = (endpoint: Endpoint, waits: Waits, signal: AbortSignal): Promise<Exchange> =>
  exchange(endpoint, { ...waits, maxBytes: 0 }, signal);
