import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { createPlace, startCommand, untilEnded, type Ended, type Place } from '../cli/command-process.ts';
import { INITIALIZE, MCP_HEADERS } from './mcp-lab.ts';

export interface Served {
  readonly place: Place;
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly post: (body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  readonly begin: () => Promise<string>;
  /** Structured content of a call that stands alone. */
  readonly call: (name: string, args?: object) => Promise<Record<string, unknown>>;
}

const ANONYMOUS = { SCANMUX_HTTP_ALLOW_ANONYMOUS_LOOPBACK: 'true', SCANMUX_STORAGE_RESERVE_MB: '0' };

const Answer = z.object({ result: z.object({ structuredContent: z.record(z.string(), z.unknown()) }) });

/** `scanmux serve`, as users start it, on a free port of loopback; it may scan this machine. */
export async function served(
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const place = createPlace();
  mkdirSync(place.config, { recursive: true });
  writeFileSync(join(place.config, 'policy.yaml'), 'allow:\n  - target: localhost\n');
  const child = startCommand(place, ['serve', '--port', '0', ...argv], { env: { ...ANONYMOUS, ...env } });
  const ended = untilEnded(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await place.clean();
  });
  const url = await Promise.race([listening(child), ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const post: Served['post'] = (body, headers = {}) =>
    fetch(`${url}/mcp`, { method: 'POST', headers: { ...MCP_HEADERS, ...headers }, body: JSON.stringify(body) });
  return {
    place,
    url,
    port: Number(new URL(url).port),
    child,
    ended,
    post,
    async begin() {
      const response = await post(INITIALIZE);
      await response.text();
      return response.headers.get('mcp-session-id') ?? '';
    },
    async call(name, args = {}) {
      const params = { name, arguments: args };
      const response = await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      return Answer.parse(await response.json()).result.structuredContent;
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const url = /listens on (http:\S+)/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
