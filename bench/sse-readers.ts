import { connect, type Socket } from 'node:net';

/** Where streams are: a port of loopback or the path of a socket, and a path for each group of readers. */
export interface Place {
  readonly at: { readonly port: number } | { readonly path: string };
  readonly paths: readonly string[];
}

export interface Readers {
  /** Milliseconds from the time in an event to its arrival, of all since the last call. */
  takeLatencies(): number[];
  /** Ids of the last events, one per reader, in the order of opening. Undefined: none came. */
  lastIds(): readonly (number | undefined)[];
  /** Events that came out of order or after a gap. */
  gaps(): number;
  /** Streams that were closed by the server. */
  closed(): number;
  close(count?: number): void;
}

/** Connections that are being opened at a time: more would only fill the server's backlog. */
const AT_ONCE = 100;
const EVENT = /^id: (\d+)\ndata: .*?"at":"([^"]+)"/m;

/** Opens `count` streams, spread evenly over the paths; `deaf` ones read nothing after the head. */
export async function openReaders(place: Place, count: number, isDeaf = false): Promise<Readers> {
  const sockets: Socket[] = [];
  const lastIds: (number | undefined)[] = [];
  let latencies: number[] = [];
  let gaps = 0;
  let closed = 0;

  const take = (index: number, block: string): void => {
    const [, id, at] = EVENT.exec(block) ?? [];
    if (id === undefined || at === undefined) return;
    const last = lastIds[index];
    if (last !== undefined && Number(id) !== last + 1) gaps += 1;
    if (last !== undefined) latencies.push(Date.now() - Date.parse(at));
    lastIds[index] = Number(id);
  };

  const open = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const path = place.paths[index % place.paths.length] ?? '/';
      const socket = connect(place.at);
      sockets[index] = socket;
      let rest = '';
      socket.once('error', reject).once('close', () => (closed += 1));
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        resolve();
        if (isDeaf) {
          socket.pause();
          return;
        }
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) take(index, block);
      });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
    });

  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      lastIds[index] = undefined;
      await open(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
  return {
    takeLatencies() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    lastIds: () => lastIds,
    gaps: () => gaps,
    closed: () => closed,
    close(some = sockets.length) {
      for (const socket of sockets.splice(0, some)) {
        socket.removeAllListeners('close').on('error', () => undefined);
        socket.destroy();
      }
      lastIds.splice(0, some);
    },
  };
}
