import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mcpLab, type McpLab } from './mcp-lab.ts';

/** A server of one session that can be made to tell its client something. */
function talkative() {
  const servers: Server[] = [];
  const makeServer = (): Server => {
    const server = new Server({ name: 'talkative', version: '1' }, { capabilities: { logging: {} } });
    servers.push(server);
    return server;
  };
  const tell = async (kib: number): Promise<void> => {
    for (const server of servers.filter(({ transport }) => transport)) {
      await server.sendLoggingMessage({ level: 'info', data: 'x'.repeat(kib * 1024) });
    }
  };
  return { makeServer, tell };
}

/** Listens as a client would, but never reads. */
async function deafListener({ port }: McpLab, sessionId: string) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  const lines = [
    'GET /mcp HTTP/1.1',
    `Host: localhost:${port}`,
    'Accept: text/event-stream',
    `Mcp-Session-Id: ${sessionId}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return socket;
}

describe('a client that listens and does not read', () => {
  it('is dropped after a while, and what waited for it is free; one that reads stays', async () => {
    let now = 0;
    const { makeServer, tell } = talkative();
    const clock = { now: () => now, monotonic: () => now };
    const lab = await mcpLab({ clock, makeServer, settings: { session_idle_seconds: 1, mcp_mode: 'stateful' } });
    /** The server's ends of connections, by the port of the client's. */
    const ends = new Map<number, Socket>();
    lab.server.on('connection', (socket) => void ends.set(socket.remotePort ?? 0, socket));
    const [deafId, earsId] = [await lab.begin(), await lab.begin()];
    const deaf = await deafListener(lab, deafId);
    const ears = await fetch(`${lab.url}/mcp`, { headers: { accept: 'text/event-stream', 'mcp-session-id': earsId } });
    const reader = ears.body?.getReader();
    for (let round = 0; round < 32; round += 1) await tell(512);
    let heard = 0;
    while (heard < 16 << 20) heard += (await reader?.read())?.value?.length ?? 0;
    // Each look finds that nothing moved since the last one.
    const looks = setInterval(() => (now += 100), 10);
    onTestFinished(() => clearInterval(looks));
    await expect.poll(() => ends.get(deaf.localPort ?? 0)?.destroyed, { timeout: 20_000 }).toBe(true);
    clearInterval(looks);
    if (!deaf.closed) {
      deaf.resume();
      await once(deaf, 'close');
    }
    await tell(1);
    expect((await reader?.read())?.value?.length).toBeGreaterThan(1024);
  });
});
