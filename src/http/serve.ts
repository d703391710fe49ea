import { setMaxListeners } from 'node:events';
import type { HttpSettings } from '../config/settings-http.ts';
import type { Clock } from '../platform/clock.ts';
import { openDoor, type Door } from './door.ts';
import { createHttpApp, type HttpParts, type ShellDeps } from './http-app.ts';
import { createMcpEndpoint } from './mcp-endpoint.ts';
import type { MakeServer } from './mcp-link.ts';

export interface ServeDeps extends Omit<ShellDeps, 'closing'> {
  readonly clock: Clock;
  readonly makeServer: MakeServer;
  /** Aborted by `stop`. */
  readonly closing: AbortController;
}

export interface RunningServer {
  /** With the port it really has. */
  readonly url: string;
  /**
   * Takes no more connections, tells streams to come back, waits for what is in flight for at most the grace time, then
   * cuts it.
   */
  stop(): Promise<void>;
}

/**
 * Answers at `open`, a door that listens already, or else listens itself.
 * @throws AppError config_invalid when the address cannot be had
 */
export async function serve(
  { closing, ...rest }: ServeDeps,
  settings: HttpSettings,
  parts: Omit<HttpParts, 'mcp'>,
  open?: Door,
): Promise<RunningServer> {
  // Every wait listens to it.
  setMaxListeners(0, closing.signal);
  const deps = { ...rest, closing: closing.signal };
  const endpoint = createMcpEndpoint(deps, settings);
  const app = createHttpApp(deps, settings, { ...parts, mcp: endpoint.router });
  let door: Door;
  try {
    door = open ?? (await openDoor(settings, app));
  } catch (error) {
    await endpoint.close();
    throw error;
  }
  door.answerWith(app);
  return {
    url: door.url,
    async stop() {
      closing.abort();
      endpoint.release();
      const graceMs = settings.shutdown_grace_seconds * 1000;
      const isDrained = await door.drained(graceMs);
      if (!isDrained) deps.log.warn({ grace_ms: graceMs }, 'requests were cut off: the grace time is over');
      await endpoint.close();
      door.cut();
    },
  };
}
