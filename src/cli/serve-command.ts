import type { Add, Run } from './command.ts';
import type { ServeOptions } from './commands/serve.ts';
import { wholeNumber } from './input.ts';

/** The HTTP server. */
export function addServe(add: Add, run: Run): void {
  add('serve', 'MCP over HTTP at /mcp, for many clients; runs until SIGTERM or Ctrl-C')
    .option('--host <address>', 'instead of the setting http.host')
    .option('--port <number>', 'instead of the setting http.port; 0 takes any free one', wholeNumber)
    .option('--no-worker', 'run no scans: workers elsewhere do')
    .action(async (options: ServeOptions) =>
      run(async (session) => (await import('./commands/serve.ts')).serveHttp(session, options)),
    );
}
