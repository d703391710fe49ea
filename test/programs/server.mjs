// The stdio server of tests: the real bridge and use cases, with the scripted engine beside the real ones.
import { fileURLToPath } from 'node:url';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { openApp } from '../../dist/app.js';
import { aroundCalls } from '../../dist/cli/trace-calls.js';
import { createLog } from '../../dist/platform/log.js';
import { createMcpServer } from '../../dist/tools/server.js';
import { scriptedType } from './scripted-engine.mjs';

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const log = createLog('warn', { role: 'server' });
const opening = openApp({
  configFolder: option('--config'),
  dataFolder: option('--data'),
  mode: 'stdio',
  log,
  env: process.env,
  spawnWorker: !process.argv.includes('--no-worker'),
  workerProgram: fileURLToPath(new URL('worker.mjs', import.meta.url)),
  engines: { scripted: scriptedType },
});
const server = createMcpServer({
  version: '0.0.0',
  open: async () => (await opening).scans,
  around: aroundCalls(async () => (await opening).tracing),
  onDefect: (err, facts) => log.error({ err, ...facts }, 'defect'),
});
process.stdin.on('end', () => {
  void opening.then((app) => app.close()).then(() => process.exit(0));
});
await server.connect(new StdioServerTransport());
