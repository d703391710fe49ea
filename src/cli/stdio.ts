import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { variable, type Environment } from '../config/environment.ts';
import { createMcpServer } from '../tools/server.ts';
import { endOnFaults, logFault } from './faults.ts';
import { watchInFlight } from './in-flight.ts';
import { lazyOpen } from './lazy-open.ts';
import { takeStdout } from './stdout-guard.ts';
import type { StdioApp } from './stdio-app.ts';
import type { StdioFlags } from './stdio-flags.ts';
import { onStopSignals } from './stop-signals.ts';
import { aroundCalls } from './trace-calls.ts';
import { VERSION } from './version.ts';

/** SDK clients send SIGTERM two seconds after they closed stdin: answers and closing must fit into less. */
const ANSWER_PATIENCE_MS = 800;
const CLOSE_PATIENCE_MS = 500;
/** The application opens this long after the handshake, so that the client's first questions come before it. */
const OPEN_AFTER_MS = 100;

/**
 * The MCP server on stdin and stdout. Ends the process with exit code 0 when the client closes stdin, goes away, or a
 * signal comes; scans go on in their worker.
 */
export async function serveStdio(flags: StdioFlags, env: Environment): Promise<void> {
  const isDebugging = variable(env, 'LOG_LEVEL')?.toLowerCase() === 'debug';
  endOnFaults(isDebugging);
  const stdout = takeStdout();
  const app = lazyApp(flags, env);
  const server = createMcpServer({
    version: VERSION,
    open: async () => (await app.open()).scans,
    around: aroundCalls(async () => (await app.open()).tracing),
    onDefect: (error, facts) => logFault(error, `defect in ${facts.tool}, trace id ${facts.trace_id}`, isDebugging),
  });
  server.oninitialized = () => setTimeout(() => app.openAhead(isDebugging), OPEN_AFTER_MS).unref();
  const transport = new StdioServerTransport(process.stdin, stdout);
  const stopped = untilStopped(stdout, server);
  await server.connect(transport);
  const inFlight = watchInFlight(transport);
  if (process.stdin.isTTY) process.stderr.write(NOTE_FOR_PEOPLE);

  const isReaderThere = await stopped;
  if (isReaderThere) await inFlight.settled(ANSWER_PATIENCE_MS);
  await server.close();
  await app.close();
  process.exit(0);
}

const NOTE_FOR_PEOPLE = `scanmux ${VERSION} is an MCP server and waits for a client on stdin. To add it to one:
  claude mcp add scanmux -- scanmux
  or in the client's settings: {"mcpServers": {"scanmux": {"command": "scanmux"}}}
Commands for people: scanmux --help. Ctrl-C ends this.
`;

/** Resolves when the server is to end: true when the client may still read answers. */
function untilStopped(stdout: NodeJS.EventEmitter, server: { onclose?: (() => void) | undefined }): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdin.once('end', () => resolve(true));
    process.stdin.once('close', () => resolve(true));
    process.stdin.once('error', () => resolve(true));
    onStopSignals((_signal, count) => {
      if (count > 1) process.exit(0);
      resolve(true);
    });
    // EPIPE: the client is gone, which is how many of them end.
    for (const stream of [stdout, process.stdout]) stream.on('error', () => resolve(false));
    const ended = server.onclose;
    server.onclose = () => {
      ended?.();
      resolve(false);
    };
  });
}

interface LazyApp {
  open(): Promise<StdioApp>;
  /** Opens before anybody asks. A failure is one line in the log; the next call tries again and tells the agent. */
  openAhead(withStack: boolean): void;
  close(): Promise<void>;
}

function lazyApp(flags: StdioFlags, env: Environment): LazyApp {
  const { open, opening } = lazyOpen(async () => {
    const { openStdioApp } = await import('./stdio-app.ts');
    return openStdioApp(flags, env);
  });
  return {
    open,
    openAhead: (withStack) => void open().catch((error: unknown) => logFault(error, 'cannot start', withStack)),
    async close() {
      const patience = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS));
      const app = await Promise.race([opening()?.catch(() => undefined), patience]);
      const closed = app?.close().catch(() => undefined);
      // A server that runs scans itself lets them finish; any other only has files to close.
      await (app?.isWorker === true ? closed : Promise.race([closed, patience]));
    },
  };
}
