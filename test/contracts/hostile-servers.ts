import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One loopback TCP service that counts who is connected, so that a test can wait until nobody is. */
export interface LoopbackService {
  readonly port: number;
  /** Resolves at the first connection. */
  readonly firstConnection: Promise<void>;
  connections(): number;
  /** Resolves when every connection made so far has ended at this side too. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on an ephemeral port of 127.0.0.1 and hands every connection to `serve`. */
export async function listen(serve: (socket: Socket) => void): Promise<LoopbackService> {
  const sockets = new Set<Socket>();
  let seen = 0;
  let greet: () => void = () => undefined;
  const firstConnection = new Promise<void>((resolve) => (greet = resolve));
  const waiting = new Set<() => void>();
  const server: Server = createServer((socket) => {
    seen += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) for (const done of waiting) done();
    });
    serve(socket);
    greet();
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(portOf(server.address()))),
  );
  return {
    port,
    firstConnection,
    connections: () => seen,
    allClosed: () =>
      sockets.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.add(() => resolve())),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}

/** Bytes that are no protocol and no UTF-8, the same in every run. */
export function garbage(length: number): Buffer {
  let state = 7;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return 128 + (state % 128);
    }),
  );
}

/** Writes `chunk` for as long as the other side takes it. */
export function flood(socket: Socket, chunk: Buffer): void {
  const pump = (): void => {
    if (socket.destroyed) return;
    if (socket.write(chunk)) setImmediate(pump);
    else socket.once('drain', pump);
  };
  pump();
}

/** Services that answer in no useful way; each one accepts connections, so their port is open. */
export const HOSTILE_SERVICES: Readonly<Record<string, (socket: Socket) => void>> = {
  'accepts and never answers': (socket) => socket.resume(),
  'closes at once': (socket) => socket.resume().end(),
  'resets at once': (socket) => socket.resetAndDestroy(),
  'sends bytes that are no protocol': (socket) => {
    socket.resume();
    socket.end(garbage(4_096));
  },
  'floods without end': (socket) => {
    socket.resume();
    flood(socket, Buffer.alloc(65_536, 'A'));
  },
};
