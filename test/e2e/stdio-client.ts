import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { processesWith } from '../processes.ts';

/** Two temporary folders of one installation; what ran in them is ended and they are removed with the test. */
export interface Installation {
  readonly config: string;
  readonly data: string;
  /** Folder of the scripted engine's outside scanner. */
  readonly outside: string;
  journal(): string[];
}

const SCANNERS = `
scripted:
  - { instance_id: only, name: Scripted, max_concurrent_scans: 4, folder: $OUTSIDE }
baseline:
  - { instance_id: local, name: Baseline, max_concurrent_scans: 2 }
`;

const SETTINGS = `
storage_reserve_mb: 0
worker: { idle_exit_seconds: 3 }
retry: { base_seconds: 0.02, max_seconds: 0.05 }
`;

export function createInstallation(files: Readonly<Record<string, string>> = {}): Installation {
  const root = mkdtempSync(join(tmpdir(), 'scanmux-e2e-'));
  const [config, data, outside] = ['config-', 'data-', 'outside-'].map((name) => mkdtempSync(join(root, name)));
  if (!config || !data || !outside) throw new Error('no temporary folders');
  const all = { 'scanners.yaml': SCANNERS, 'scanmux.yaml': SETTINGS, ...files };
  for (const [name, text] of Object.entries(all)) {
    writeFileSync(join(config, name), text.replaceAll('$OUTSIDE', JSON.stringify(outside)));
  }
  onTestFinished(() => {
    endProcessesOf(data);
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  const journalFile = join(outside, 'journal');
  return {
    config,
    data,
    outside,
    journal: () => (existsSync(journalFile) ? readFileSync(journalFile, 'utf8').trim().split('\n') : []),
  };
}

/** Every worker that was started for this data folder, by its log. */
export function workerPids(data: string): number[] {
  const log = join(data, 'logs', 'worker.log');
  if (!existsSync(log)) return [];
  return [...new Set([...readFileSync(log, 'utf8').matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid)))];
}

/** Ends what was started with this folder, also a worker that has logged nothing yet. */
function endProcessesOf(folder: string): void {
  for (const { pid } of processesWith(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

const Answer = z.looseObject({
  isError: z.boolean().optional(),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
});

const Failure = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    retryable: z.boolean(),
    targets: z.array(z.string()).optional(),
  }),
});

export interface Connection {
  readonly client: Client;
  readonly pid: number;
  /** The answer of a call that must succeed. */
  ok(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The error of a call that must fail. */
  fails(name: string, args?: Record<string, unknown>): Promise<{ code: string; text: string; hint: string }>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The program that speaks MCP; default: the test server with the scripted engine. */
  readonly program?: string;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real MCP client on a real child process over stdio. */
export async function connect(installation: Installation, options: ConnectOptions = {}): Promise<Connection> {
  const { program = 'test/programs/server.mjs', argv = [], cwd, env = {} } = options;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(process.cwd(), program), '--config', installation.config, '--data', installation.data, ...argv],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stderr: process.env['SCANMUX_TEST_STDERR'] ? 'inherit' : 'ignore',
    ...(cwd === undefined ? {} : { cwd }),
  });
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await client.connect(transport);
  // The client checks answers against output schemas only of tools it has listed.
  await client.listTools();
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await client.close();
  };
  onTestFinished(close);
  const call = async (name: string, args: Record<string, unknown> = {}) =>
    Answer.parse(await client.callTool({ name, arguments: args }));
  return {
    client,
    pid: transport.pid ?? 0,
    close,
    async ok(name, args) {
      const { isError, structuredContent, content } = await call(name, args);
      const text = content[0]?.text;
      if (isError || !structuredContent) throw new Error(`${name} failed: ${text}`);
      if (text !== JSON.stringify(structuredContent)) throw new Error('content is not the same object as compact JSON');
      if (Object.keys(structuredContent)[0] !== 'summary') throw new Error('summary is not the first key');
      return structuredContent;
    },
    async fails(name, args) {
      const { isError, structuredContent, content } = await call(name, args);
      const text = content[0]?.text ?? '';
      if (!isError || structuredContent) throw new Error(`${name} did not fail: ${text}`);
      const [line = '', json = ''] = text.split('\n');
      const { error } = Failure.parse(JSON.parse(json));
      if (line !== `${error.code}: ${error.message} ${error.hint}`) throw new Error(`not code: message hint: ${line}`);
      return { code: error.code, text, hint: error.hint };
    },
  };
}

/** Waits for the end of a scan through the tools themselves. */
export async function finished(connection: Connection, scanId: unknown): Promise<Record<string, unknown>> {
  for (let round = 0; round < 8; round += 1) {
    const status = await connection.ok('wait_for_scan', { scan_id: scanId, wait_seconds: 20 });
    if (!status['wait_timed_out']) return status;
  }
  throw new Error('the scan did not end');
}
