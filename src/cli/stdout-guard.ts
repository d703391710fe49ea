import { Console } from 'node:console';
import { Writable } from 'node:stream';

/**
 * Takes stdout for MCP alone: whatever else writes there, or uses `console`, goes to stderr from now on.
 * @returns the stream that still reaches the client
 */
export function takeStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  const protocol = new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, _encoding, done) => void write(chunk, (error) => done(error)),
  });
  stdout.write = stderr.write.bind(stderr);
  globalThis.console = new Console(stderr, stderr);
  return protocol;
}
