import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../contracts/hostile-servers.ts';
import { freePort } from '../../free-port.ts';
import { loopbackPort } from '../../contracts/scanner-contract.ts';
import { look } from './look.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A real Redis that keeps nothing, on a port that was free a moment ago. */
async function startRedis(...more: readonly string[]): Promise<number> {
  const port = await freePort();
  const argv = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more];
  const child = spawn('redis-server', argv, { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' });
  closers.push(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  });
  for await (const line of createInterface(child.stdout)) if (/ready to accept connections/i.test(line)) break;
  child.stdout.resume();
  return port;
}

async function answering(reply: (question: string) => string): Promise<number> {
  const service = await listen((socket) => socket.on('data', (bytes) => socket.write(reply(bytes.toString('latin1')))));
  closers.push(() => service.close());
  return service.port;
}

describe('the baseline engine proves that a service is open to anyone', () => {
  it('finds a real Redis without a password on any port', async () => {
    const { findings } = await look([loopbackPort(await startRedis())]);
    expect(findings.map(({ rule_id, severity, location }) => [rule_id, severity, location.service])).toEqual([
      ['baseline:tcp-open', 'info', 'redis'],
      ['baseline:open-redis', 'critical', 'redis'],
    ]);
    expect(findings[1]?.untrusted.output).toMatch(/^redis_version:\d/);
  });

  it('only names a real Redis that asks for a password', async () => {
    const { rules, findings } = await look([loopbackPort(await startRedis('--requirepass', 'x'))]);
    expect(rules).toEqual(['tcp-open']);
    expect(findings[0]?.location.service).toBe('redis');
  });

  it('finds Memcached by its version', async () => {
    const port = await answering((question) => (question === 'version\r\n' ? 'VERSION 1.6.18\r\n' : 'ERROR\r\n'));
    expect((await look([loopbackPort(port)])).rules).toEqual(['open-memcached', 'tcp-open']);
  });

  it('believes no service that answers every question alike', async () => {
    const port = await answering(() => 'VERSION is a word\r\n+PONG is another\r\n');
    expect((await look([loopbackPort(port)])).rules).not.toContain('open-redis');
  });

  it('asks no more than TLS and HTTP of unknown ports at light intensity', async () => {
    const heard: string[] = [];
    const port = await answering((question) => {
      heard.push(question);
      return 'what?\r\n';
    });
    await look([loopbackPort(port)], { intensity: 'light' });
    expect(heard.some((question) => question.startsWith('GET / '))).toBe(true);
    expect(heard.filter((question) => /^(PING|version)/.test(question))).toEqual([]);
  });

  it.each([
    ['ssh', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['ftp', '220 ProFTPD FTP Server ready\r\n'],
    ['smtp', '220 mail.test ESMTP\r\n'],
    ['imap', '* OK IMAP4rev1 ready\r\n'],
  ])('recognises %s by its greeting and keeps it as untrusted', async (name, greeting) => {
    const service = await listen((socket) => socket.resume().write(greeting));
    closers.push(() => service.close());
    const { findings } = await look([loopbackPort(service.port)]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      location: { service: name },
      untrusted: { banner: greeting.replace('\r', '') },
    });
  });
});
