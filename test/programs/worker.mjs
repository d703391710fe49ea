// The worker process of tests: the real one, with the scripted engine beside the real ones.
import { openApp } from '../../dist/app.js';
import { createLog } from '../../dist/platform/log.js';
import { scriptedType } from './scripted-engine.mjs';

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop.abort());
const app = await openApp({
  configFolder: option('--config'),
  dataFolder: option('--data'),
  mode: 'stdio',
  log: createLog('info', { role: 'worker' }),
  env: process.env,
  spawnWorker: false,
  engines: { scripted: scriptedType },
  workerSettings: { minuteMs: Number(process.env.SCANMUX_TEST_MINUTE_MS ?? 60_000) },
});
await app.runWorker(stop.signal, { leaveWhenIdle: true });
await app.close();
