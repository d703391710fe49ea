import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { onTestFinished } from 'vitest';
import { openApp, type App, type AppOptions } from '../../src/app.ts';
import { createLog } from '../../src/platform/log.ts';
import { createMcpServer } from '../../src/tools/server.ts';

export interface Wire {
  readonly client: Client;
  readonly app: App;
  /** The data folder. */
  readonly data: string;
  /** Structured content of a call that must succeed. */
  readonly ok: (name: string, args?: Record<string, unknown>) => Promise<Record<string, unknown>>;
  /** First line of a call that must fail: `code: message hint`. */
  readonly fails: (name: string, args?: Record<string, unknown>) => Promise<string>;
}

const SETTINGS = 'storage_reserve_mb: 0\n';

/** A real client on the real server, in this process; nothing runs what is queued, so scans stay queued. */
export async function wire(
  files: Readonly<Record<string, string>> = {},
  over: Partial<AppOptions> = {},
): Promise<Wire> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-wire-'));
  const config = mkdtempSync(join(folder, 'config-'));
  for (const [name, text] of Object.entries({ 'scanmux.yaml': SETTINGS, ...files }))
    writeFileSync(join(config, name), text);
  const data = join(folder, 'data');
  const app = await openApp({
    configFolder: config,
    dataFolder: data,
    mode: 'stdio',
    log: createLog('silent'),
    env: { PATH: process.env['PATH'] ?? '' },
    spawnWorker: false,
    readerThreads: 0,
    ...over,
  });
  const server = createMcpServer({
    version: '0.0.0',
    open: () => Promise.resolve(app.scans),
    onDefect: (error) => {
      throw error;
    },
  });
  const client = new Client({ name: 'wire', version: '1.0.0' });
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  await server.connect(serverSide);
  await client.connect(clientSide);
  await client.listTools();
  onTestFinished(async () => {
    await client.close();
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const call = async (name: string, args: Record<string, unknown>) => {
    const { isError, structuredContent, content } = await client.callTool({ name, arguments: args });
    return { isError: isError === true, structuredContent, text: JSON.stringify(content) };
  };
  return {
    client,
    app,
    data,
    async ok(name, args = {}) {
      const { isError, structuredContent, text } = await call(name, args);
      if (isError || typeof structuredContent !== 'object' || structuredContent === null)
        throw new Error(`${name} failed: ${text}`);
      return { ...structuredContent };
    },
    async fails(name, args = {}) {
      const { isError, structuredContent, text } = await call(name, args);
      if (!isError || structuredContent !== undefined) throw new Error(`${name} did not fail: ${text}`);
      return /"text":"(.*?)\\n/.exec(text)?.[1]?.replaceAll('\\"', '"') ?? text;
    },
  };
}
