// The real routes over the real queue, on loopback and on a socket in the data folder. Prints the port; on each line of
// stdin prints its memory in bytes.
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join } from 'node:path';
import express from 'express';
import { openApp } from '../src/app.ts';
import { HttpSettings } from '../src/config/settings-http.ts';
import { requireCaller } from '../src/http/authentication.ts';
import { createLimitedServer } from '../src/http/limits.ts';
import { traceRequests } from '../src/http/request-trace.ts';
import { createRestRouter } from '../src/http/rest/rest-router.ts';
import { securityHeaders } from '../src/http/security.ts';
import { AGENT_SCOPES, LOCAL_TENANT } from '../src/model/caller.ts';
import { ALWAYS_STANDS } from '../src/http/auth/standing.ts';
import { systemClock } from '../src/platform/clock.ts';
import { createLog } from '../src/platform/log.ts';

const [configFolder = '', dataFolder = ''] = process.argv.slice(2);
const log = createLog('warn');
const app = await openApp({ configFolder, dataFolder, mode: 'serve', log, env: process.env, spawnWorker: false });
const settings = HttpSettings.parse({ max_connections: 100_000 });
const caller = { tenant: LOCAL_TENANT, name: 'bench', isOperator: false, scopes: AGENT_SCOPES };
const deps = {
  scans: app.scans,
  queue: app.queue,
  clock: systemClock,
  log,
  closing: new AbortController().signal,
  authenticator: { authenticate: () => Promise.resolve(caller), standing: ALWAYS_STANDS },
};
const web = express();
web.use(traceRequests, securityHeaders(settings), requireCaller(deps));
web.use('/api', createRestRouter(deps, { streams: { perTenant: 100_000, inAll: 100_000 } }));

const server = createLimitedServer(web, settings);
server.listen(0, '127.0.0.1', 4_096);
await once(server, 'listening');
const local = createLimitedServer(web, settings).listen(join(dataFolder, 'bench.sock'), 4_096);
await once(local, 'listening');
const address = server.address();
console.log(typeof address === 'object' ? address?.port : '');
createInterface({ input: process.stdin })
  .on('line', () => console.log(process.memoryUsage.rss()))
  .on('close', () => process.exit(0));
