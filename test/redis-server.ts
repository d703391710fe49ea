import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  /** Resolves when a killed process is gone; at once for other signals. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and files. */
  restart(): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'];

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a real `redis-server` on a free loopback port with a folder of its own. Later `args` win over the durable ones. */
export async function startRedis({ args = [] }: { args?: readonly string[] } = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-redis-'));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const own = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--daemonize',
      'no',
      '--loglevel',
      'warning',
    ];
    child = spawn('redis-server', [...own, ...DURABLE, ...args], { stdio: 'ignore' });
    await answering(port, child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child?.once('exit', resolve));
    child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => child?.pid ?? 0,
    kill: end,
    restart: async () => {
      await end('SIGKILL');
      await start();
    },
    async close() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Any answer will do: also "a password is needed", or that TLS is spoken. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error('redis-server ended at its start');
    const probe = new Redis({ port, lazyConnect: true, retryStrategy: null, enableReadyCheck: true });
    probe.on('error', () => undefined);
    try {
      await probe.connect();
      return;
    } catch (error) {
      if (error instanceof Error && /NOAUTH|NOPERM/.test(error.message)) return;
    } finally {
      probe.disconnect();
    }
    await delay(25);
  }
  throw new Error('redis-server does not answer');
}
