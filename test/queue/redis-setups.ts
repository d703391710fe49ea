import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../free-port.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

/** Files of an authority and of a certificate for 127.0.0.1 and `redis.test`, made by openssl. */
export interface TestCertificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  remove(): void;
}

export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-tls-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=test ca',
  );
  openssl('req', ...newKey, '-keyout', at('redis.key'), '-out', at('redis.csr'), '-subj', '/CN=redis');
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:redis.test');
  const signing = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    at('names'),
  ];
  openssl('x509', '-req', '-in', at('redis.csr'), '-out', at('redis.pem'), ...signing);
  return {
    caFile: at('ca.pem'),
    certFile: at('redis.pem'),
    keyFile: at('redis.key'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Asks until the answer is as wanted. A sentinel that was short of time waits half a minute before it acts. */
export async function eventually<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean, tries = 2_000): Promise<T> {
  for (let left = tries; ; left -= 1) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && isIt(answer)) return answer;
    if (left === 0) throw new Error(`never came: ${String(answer)}`);
    await delay(25);
  }
}

export interface Running {
  readonly port: number;
  end(): Promise<void>;
}

/** A sentinel that watches one master by the name `scans`. */
export async function startSentinel(master: number, more: readonly string[] = []): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor scans 127.0.0.1 ${master} 1`,
    // On a busy machine also a replica that lives may be silent for a while; then it is not promoted.
    'sentinel down-after-milliseconds scans 1500',
    // A failover that found no good replica yet is tried again after twice this.
    'sentinel failover-timeout scans 4000',
    ...more,
  ];
  writeFileSync(file, lines.join('\n'));
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  await eventually(
    () => ping(port),
    (answer) => /PONG|NOAUTH/.test(answer),
  );
  return { port, end: () => endOf(child, folder) };
}

async function ping(port: number): Promise<string> {
  const probe = new Redis({ port, lazyConnect: true, retryStrategy: null, enableReadyCheck: false });
  const refused = new Promise<string>((resolve) => probe.on('error', ({ message }) => resolve(message)));
  try {
    return await Promise.race([probe.connect().then(() => probe.ping()), refused]);
  } finally {
    probe.disconnect();
  }
}

async function endOf(child: ChildProcess, folder: string): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

export interface TestCluster {
  readonly ports: readonly number[];
  readonly servers: readonly RedisServer[];
  close(): Promise<void>;
}

/** Three masters on loopback, made into one cluster by redis-cli. */
export async function startCluster(): Promise<TestCluster> {
  const start = async (): Promise<RedisServer> =>
    await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] });
  const servers = [await start(), await start(), await start()];
  const ports = servers.map(({ port }) => port);
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  execFileSync('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-yes'], { stdio: 'ignore' });
  for (const port of ports) {
    const node = new Redis(port);
    await eventually(
      () => node.cluster('INFO'),
      (answer) => String(answer).includes('cluster_state:ok'),
    );
    node.disconnect();
  }
  return {
    ports,
    servers,
    async close() {
      for (const server of servers) await server.close();
    },
  };
}
