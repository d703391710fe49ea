import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import {
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { onTestFinished } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import type { HttpSettings } from '../../src/config/settings-http.ts';
import { HttpSettings as Settings } from '../../src/config/settings-http.ts';
import type { RequestHandler } from 'express';
import type { InFlightBounds } from '../../src/http/in-flight.ts';
import { createMcpEndpoint, type McpEndpoint } from '../../src/http/mcp-endpoint.ts';
import type { MakeServer } from '../../src/http/mcp-link.ts';
import type { Authenticator } from '../../src/http/deps.ts';
import { systemClock, type Clock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createMcpServer } from '../../src/tools/server.ts';
import { callerNamed, fixedAuthenticator } from './fixed-authenticator.ts';
import { startHttp } from './start-http.ts';

/** The headers of a program that speaks MCP. */
export const MCP_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const;

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'lab', version: '1' } },
} as const;

export interface LabOptions {
  readonly settings?: Partial<HttpSettings>;
  readonly authenticator?: Authenticator;
  readonly clock?: Clock;
  readonly makeServer?: MakeServer;
  readonly policy?: string;
  readonly bounds?: Partial<InFlightBounds>;
}

export interface McpLab {
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly endpoint: McpEndpoint;
  readonly server: HttpServer;
  readonly closing: AbortController;
  /** POSTs whose answer is not over. */
  readonly inFlight: () => number;
  /** One POST to /mcp, as text or as JSON. */
  readonly post: (body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  /** Begins a session by hand; resolves to its id. */
  readonly begin: (headers?: Readonly<Record<string, string>>) => Promise<string>;
  /** A real client, connected. */
  readonly connect: (options?: StreamableHTTPClientTransportOptions) => Promise<{
    client: Client;
    transport: StreamableHTTPClientTransport;
  }>;
}

/** The real application behind a real HTTP server on loopback; nothing runs what is queued. */
export async function mcpLab(options: LabOptions = {}): Promise<McpLab> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-http-'));
  const config = mkdtempSync(join(folder, 'config-'));
  writeFileSync(join(config, 'scanmux.yaml'), 'storage_reserve_mb: 0\n');
  if (options.policy !== undefined) writeFileSync(join(config, 'policy.yaml'), options.policy);
  const app = await openApp({
    configFolder: config,
    dataFolder: join(folder, 'data'),
    mode: 'stdio',
    log: silentLog,
    env: { PATH: process.env['PATH'] ?? '' },
    spawnWorker: false,
    readerThreads: 0,
  });
  const { authenticator = fixedAuthenticator(callerNamed('lab')), clock = systemClock } = options;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const makeServer: MakeServer = (askerOf) =>
    createMcpServer({ version: '0.0.0', open: () => Promise.resolve(app.scans), askerOf, onDefect: () => undefined });
  const shell = { authenticator, closing: closing.signal, log: silentLog };
  const endpoint = createMcpEndpoint(
    {
      ...shell,
      clock,
      makeServer: options.makeServer ?? makeServer,
      ...(options.bounds ? { bounds: options.bounds } : {}),
    },
    { ...Settings.parse({}), ...options.settings },
  );
  let inFlight = 0;
  const first: RequestHandler = ({ method }, response, next) => {
    if (method !== 'POST') return next();
    inFlight += 1;
    response.once('close', () => (inFlight -= 1));
    next();
  };
  const http = await startHttp(shell, { first, mcp: endpoint.router }, options.settings);
  onTestFinished(async () => {
    await endpoint.close();
    await http.close();
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { url, port } = http;
  const post: McpLab['post'] = (body, headers = {}) =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...MCP_HEADERS, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    url,
    port,
    app,
    endpoint,
    server: http.server,
    closing,
    inFlight: () => inFlight,
    post,
    async begin(headers) {
      const response = await post(INITIALIZE, headers);
      await response.text();
      const id = response.headers.get('mcp-session-id');
      if (id === null) throw new Error(`no session: ${response.status}`);
      return id;
    },
    async connect(transportOptions) {
      const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), transportOptions);
      const client = new Client({ name: 'lab', version: '1' });
      await client.connect(transport);
      onTestFinished(() => client.close());
      return { client, transport };
    },
  };
}
