import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freePort } from '../free-port.ts';

const EXAMPLE = 'deploy/nginx/scanmux.conf';
/** Debian keeps it where only root looks. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`;

/** The whole configuration around the example, with nothing outside of `folder`. */
const around = (folder: string, site: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${site}
}`;

function written(change: (site: string) => string): { readonly folder: string; readonly file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-nginx-'));
  const file = join(folder, 'nginx.conf');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(file, around(folder, change(readFileSync(EXAMPLE, 'utf8'))));
  return { folder, file };
}

/** What `nginx -t` says of the example with this certificate. */
export function checkNginx(certificate: string, key: string): { readonly ok: boolean; readonly said: string } {
  const { folder, file } = written((site) =>
    site.replace('/etc/ssl/scanmux.pem', certificate).replace('/etc/ssl/scanmux.key', key),
  );
  const { status, stderr } = spawnSync('nginx', ['-t', '-p', folder, '-c', file], { env: { PATH }, encoding: 'utf8' });
  return { ok: status === 0, said: stderr };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end()).once('error', () => resolve(false));
    socket.once('close', (hadError) => resolve(!hadError));
  });

export interface Nginx {
  readonly url: string;
  readonly port: number;
  accessLog(): string;
}

/** The example, without TLS and before the server on this port, until the test ends. */
export async function startNginx(upstreamPort: number): Promise<Nginx> {
  const port = await freePort();
  const { folder, file } = written((site) =>
    site
      .replaceAll('127.0.0.1:8765', `127.0.0.1:${upstreamPort}`)
      .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
      .replaceAll(/^\s*ssl_.*$/gm, ''),
  );
  const child = spawn('nginx', ['-p', folder, '-c', file], { env: { PATH }, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  for (let tries = 0; !(await accepts(port)); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error('nginx does not listen');
    await delay(25);
  }
  return { port, url: `http://127.0.0.1:${port}`, accessLog: () => readFileSync(join(folder, 'access.log'), 'utf8') };
}
