import { connect } from 'node:net';

/** Writes these bytes, as they are, and collects what comes back until the server closes or `idleMs` of silence. */
export async function rawHttp(
  port: number,
  chunks: readonly (string | Uint8Array)[],
  { idleMs = 5_000 }: { idleMs?: number } = {},
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.destroy();
      resolve(Buffer.concat(received).toString());
    };
    socket.setTimeout(idleMs, done);
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('close', done);
    // The server may answer and close before it has read everything.
    socket.on('error', done);
    socket.on('connect', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    setTimeout(() => reject(new Error('the server neither answers nor closes')), 25_000).unref();
  });
}

/** Status of the first answer in it; 0 when there is none. */
export const statusIn = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
