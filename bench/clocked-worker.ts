// The real worker, with an engine that notes when it is started.
import { openApp } from '../src/app.ts';
import { createLog } from '../src/platform/log.ts';
import { clockedType } from './clocked-engine.ts';

const [configFolder = '', dataFolder = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const app = await openApp({
  configFolder,
  dataFolder,
  mode: 'stdio',
  log: createLog('warn'),
  env: process.env,
  spawnWorker: false,
  engines: { clocked: clockedType },
});
await app.runWorker(stop.signal, { leaveWhenIdle: false });
await app.close();
