import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a Redis that can lose replies. */
export interface RedisProxy {
  readonly url: string;
  /** The next request that holds this text reaches the server; its reply is lost with the connection. */
  loseReplyOf(text: string): void;
  /** Requests that hold this text are not passed on but answered with `reply` (RESP). Undefined: no more of that. */
  answer(text: string, reply: (() => string) | undefined): void;
  /** Nothing gets through any more, in either direction, without a word; or it does again. */
  block(isBlocked: boolean): void;
  close(): Promise<void>;
}

export async function startProxy(port: number): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  const answers = new Map<string, () => string>();
  let lost: string | undefined;
  let isBlocked = false;

  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let isLosing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (isBlocked) return;
      const text = data.toString('latin1');
      const answer = [...answers].find(([part]) => text.includes(part))?.[1];
      if (answer) {
        client.write(answer());
        return;
      }
      if (lost !== undefined && text.includes(lost)) {
        lost = undefined;
        isLosing = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (isLosing) client.destroy();
      else if (!isBlocked) client.write(data);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `redis://127.0.0.1:${address.port}`,
    loseReplyOf(text) {
      lost = text;
    },
    answer(text, reply) {
      if (reply) answers.set(text, reply);
      else answers.delete(text);
    },
    block(blocked) {
      isBlocked = blocked;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
