import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports that a system hands out by itself (to clients, and to servers that ask for port 0) begin at 32768 (Linux) or
 * higher. One of those, given back, may be somebody else's before the test uses it; one below is only taken by name.
 */
const FIRST = 10_240;
const LAST = 32_000;

/** A port of the address where nobody listens, and which no test that runs beside this one is likely to pick. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await canListen(port, address)) return port;
  }
}

async function canListen(port: number, address: string): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen(port, address);
  try {
    await listening;
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
