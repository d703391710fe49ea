import { Console } from 'node:console';
import { Writable } from 'node:stream';

/** Below this no sender is told to wait. One page of results is far smaller. */
const BUFFERED_BYTES = 1 << 20;

const joined = (waiting: readonly { readonly chunk: string | Uint8Array }[]): Uint8Array =>
  Buffer.concat(waiting.map(({ chunk }) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));

/**
 * Takes stdout for MCP alone: whatever else writes there, or uses `console`, goes to stderr from now on.
 * @returns the stream that still reaches the client
 */
export function takeStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  const protocol = new Writable({
    decodeStrings: false,
    highWaterMark: BUFFERED_BYTES,
    write: (chunk: string | Uint8Array, _encoding, done) => void write(chunk, (error) => done(error)),
    // Answers that wait while one is written go out together: one system call, not one each.
    writev: (waiting, done) => void write(joined(waiting), (error) => done(error)),
  });
  // Under load many answers wait for the same `drain`.
  protocol.setMaxListeners(0);
  stdout.write = stderr.write.bind(stderr);
  globalThis.console = new Console(stderr, stderr);
  return protocol;
}
