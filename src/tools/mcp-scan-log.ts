import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { LoggingLevelSchema, SetLevelRequestSchema, type LoggingLevel } from '@modelcontextprotocol/sdk/types.js';
import { isDeadLetter, type ScanState } from '../model/scan.ts';
import type { Bridge } from './bridge.ts';

/** Of one connection, at the same time. */
const MOST_FOLLOWED = 100;
/** Until the client says what it wants: only what went wrong. */
const DEFAULT_LEVEL: LoggingLevel = 'warning';

const rank = (level: LoggingLevel): number => LoggingLevelSchema.options.indexOf(level);
const levelOf = (state: ScanState): LoggingLevel =>
  isDeadLetter(state) ? 'warning' : state === 'retrying' ? 'notice' : 'info';

/** Tells a client of the states of the scans it started, as MCP log messages. */
export function followScans(server: Server, bridge: Bridge): (scanId: string) => void {
  let wanted: LoggingLevel = DEFAULT_LEVEL;
  const followed = new Set<string>();
  server.setRequestHandler(SetLevelRequestSchema, ({ params: { level } }) => {
    wanted = level;
    return {};
  });

  const follow = async (scanId: string): Promise<void> => {
    const scans = await bridge.open();
    let last: ScanState | undefined;
    for await (const { state } of scans.watch(scanId, bridge.ask(bridge.closed))) {
      if (state === last) continue;
      last = state;
      const level = levelOf(state);
      if (rank(level) < rank(wanted)) continue;
      const params = { level, logger: 'scan', data: { scan_id: scanId, state } };
      await server.notification({ method: 'notifications/message', params });
    }
  };
  return (scanId) => {
    if (followed.has(scanId) || followed.size >= MOST_FOLLOWED || bridge.closed.aborted) return;
    followed.add(scanId);
    // The status says it all; a log that breaks off is no failure of anything.
    void follow(scanId)
      .catch(() => undefined)
      .finally(() => followed.delete(scanId));
  };
}
