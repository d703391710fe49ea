import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** A real redis-server on a free loopback port with a folder of its own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  pid(): number;
  /** Sends a signal and, when it ends the process, waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port with the same data; kills it first if it still runs. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Resolves once the server answers `PING`, so it has loaded its data. */
async function answers(port: number, deadline: number): Promise<void> {
  for (;;) {
    const reply = await ping(port);
    // A server with a password or with TLS answers otherwise, but it answers.
    if (reply.startsWith('+PONG') || reply.startsWith('-NOAUTH') || reply === 'closed') return;
    if (Date.now() > deadline) throw new Error(`redis-server does not answer: ${reply}`);
    await delay(20);
  }
}

const ping = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.once('close', () => resolve('closed'));
    socket.once('error', (error) => resolve(error.message));
  });

/** Another one, e.g. a Valkey, with more arguments, for a run by hand. */
const PROGRAM = process.env['SCANMUX_TEST_REDIS'] ?? 'redis-server';
const MORE_ARGS = (process.env['SCANMUX_TEST_REDIS_ARGS'] ?? '').split(' ').filter(Boolean);

const STARTS_WITHIN_MS = 20_000;
const ENDS: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>(['SIGKILL', 'SIGTERM', 'SIGINT']);

/** @param options `args` come after the durable defaults and win over them, e.g. `['--requirepass', 'x']`. */
export async function startRedis(options: { readonly args?: readonly string[] } = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-redis-'));
  const port = await freePort();
  const durable = '--appendonly yes --appendfsync always --maxmemory-policy noeviction --loglevel warning';
  const argv = [
    ...durable.split(' '),
    '--save',
    '',
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    ...MORE_ARGS,
    ...(options.args ?? []),
  ];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, argv, { stdio: 'ignore' });
    await Promise.race([
      answers(port, Date.now() + STARTS_WITHIN_MS),
      once(child, 'exit').then(([code]) => {
        throw new Error(`redis-server ended with ${code}: ${argv.join(' ')}`);
      }),
    ]);
  };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return;
    const ended = ENDS.has(signal) ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => child.pid ?? 0,
    kill,
    async restart() {
      await kill('SIGKILL');
      await start();
    },
    async close() {
      await kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
