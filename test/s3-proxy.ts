import { createServer, request, type IncomingMessage } from 'node:http';
import { z } from 'zod';

/** What becomes of a request: goes through; is answered here; is never answered; is cut off, also in mid-body. */
export type Verdict = 'pass' | 'hang' | 'cut' | 'cut_body' | { readonly status: number; readonly code?: string };

export interface S3Proxy {
  readonly url: string;
  /** `METHOD path?query` of everything that came, with its headers. */
  readonly seen: { readonly line: string; readonly headers: IncomingMessage['headers'] }[];
  judge: (line: string) => Verdict;
  close(): Promise<void>;
}

const Address = z.object({ port: z.number() });

/** Stands before an S3 server and makes trouble. Signatures hold, because they name the host that clients connect to. */
export async function startS3Proxy(port: number): Promise<S3Proxy> {
  const proxy: S3Proxy = { url: '', seen: [], judge: () => 'pass', close: async () => undefined };
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    proxy.seen.push({ line, headers: incoming.headers });
    const verdict = proxy.judge(line);
    if (verdict === 'hang') return;
    if (verdict === 'cut') return void incoming.socket.destroy();
    if (typeof verdict === 'object') {
      const { status, code = 'Trouble' } = verdict;
      outgoing.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
      return void outgoing.end(`<Error><Code>${code}</Code><Message>as the test says</Message></Error>`);
    }
    const { method = 'GET', url = '/', headers } = incoming;
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (verdict === 'cut_body') answer.once('data', (chunk) => outgoing.write(chunk, () => outgoing.destroy()));
      else answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${Address.parse(server.address()).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
