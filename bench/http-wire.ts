import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

/** A server program that says in its first line where it listens. */
export interface HttpServer {
  readonly url: string;
  /** Resident memory in MiB, after a moment to settle. */
  memory(): Promise<number>;
  close(): Promise<void>;
}

export async function startServer(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<HttpServer> {
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', ...env },
  });
  const url = await listening(child);
  return {
    url,
    async memory() {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return residentMiB(child.pid ?? 0);
    },
    async close() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const SETTLE_MS = 500;

async function listening(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk);
    const url = /listens on (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the server does not listen');
}

/** Of Linux; elsewhere there is no figure. */
function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** Sessions of one server that are called in turn, each over its own connection: no schemas, next to no cost. */
export interface Sessions {
  /** Calls a tool in the next session that is free. @throws when the answer is no success */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
};

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  },
} as const;

export async function openSessions(url: string, count: number): Promise<Sessions> {
  const pool = new Pool(url, { connections: count, pipelining: 1 });
  let lastId = 0;
  const send = async (message: object, session: Readonly<Record<string, string>>) => {
    lastId += 1;
    const body = JSON.stringify({ jsonrpc: '2.0', id: lastId, ...message });
    const {
      statusCode,
      headers,
      body: answer,
    } = await pool.request({
      path: '/mcp',
      method: 'POST',
      headers: { ...HEADERS, ...session },
      body,
    });
    const text = await answer.text();
    if (statusCode !== 200 || !text.includes('"result"') || text.includes('"isError":true')) {
      throw new Error(`${statusCode}: ${text.slice(0, 300)}`);
    }
    return headers['mcp-session-id'];
  };
  const begin = async (): Promise<string> => {
    const id = await send(INITIALIZE, {});
    if (typeof id !== 'string') throw new Error('no session');
    return id;
  };
  const free = await Promise.all(Array.from({ length: count }, begin));
  return {
    async call(tool, args) {
      const id = free.shift();
      if (id === undefined) throw new Error('every session is in use');
      await send({ method: 'tools/call', params: { name: tool, arguments: args } }, { 'mcp-session-id': id });
      free.push(id);
    },
    close: () => pool.close(),
  };
}
