import { once } from 'node:events';
import { createHttpApp, type HttpParts, type ShellDeps } from '../../src/http/http-app.ts';
import { createLimitedServer } from '../../src/http/limits.ts';
import { HttpSettings } from '../../src/config/settings-http.ts';

/** The shell with these parts, on a free port of loopback. */
export async function startHttp(deps: ShellDeps, parts: HttpParts, settings: Partial<HttpSettings> = {}) {
  const all = { ...HttpSettings.parse({}), ...settings };
  const server = createLimitedServer(createHttpApp(deps, all, parts), all);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listens on no port');
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    server,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
