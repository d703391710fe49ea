// How much the floors themselves vary on this machine: each against itself. A ratio far from 1 means a noisy machine, on
// which no other bench says much.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { compare, report, type Side } from './harness.ts';
import { createRawSqlite } from './raw-sqlite.ts';

/** The compiled floor server stands beside this compiled file. */
const ECHO_SERVER = fileURLToPath(new URL('./floor-echo-server.js', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'scanmux-bench-'));
const sqlite = createRawSqlite(folder);
const client = new Client({ name: 'bench', version: '1.0.0' });

try {
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [ECHO_SERVER] }));
  const echo: Side = {
    name: 'bare SDK echo tool',
    async once() {
      await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
    },
  };
  report('floors', [
    await compare({ name: 'durable insert', floor: sqlite, subject: sqlite, rounds: 6, perRound: 300 }),
    await compare({ name: 'tool call, one at a time', floor: echo, subject: echo, rounds: 6, perRound: 300 }),
    await compare({ name: 'tool call, 16', floor: echo, subject: echo, rounds: 6, perRound: 600, concurrency: 16 }),
  ]);
} finally {
  await client.close();
  sqlite.close();
  rmSync(folder, { recursive: true, force: true });
}
