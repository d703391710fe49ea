import { destination, pino, stdTimeFunctions } from 'pino';

/** What code logs with: facts first, then a sentence. Never a secret, never target-written text in the sentence. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  /** The same log with these facts on every line, e.g. trace and scan id. */
  child(facts: Readonly<Record<string, unknown>>): Log;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Values under these keys never reach the log, at any of the first three levels. Matched exactly, as written here. */
const SECRET_KEYS = [
  'password',
  'secret',
  'secret_key',
  'secretKey',
  'access_key',
  'accessKey',
  'api_key',
  'apiKey',
  'passphrase',
  'private_key',
  'privateKey',
  'token',
  'authorization',
  'cookie',
  'set-cookie',
  'x-apikeys',
];
const paths = SECRET_KEYS.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]);

/** Of lines that could not be written. */
const KEPT_BYTES = 1 << 20;

/**
 * JSON lines on stderr; stdout belongs to MCP alone. Synchronous, so that the last words before a crash are kept.
 * `err` is serialised with its cause chain.
 */
export function createLog(level: LogLevel, base: Readonly<Record<string, unknown>> = {}): Log {
  const stderr = destination({ fd: 2, sync: true, maxLength: KEPT_BYTES });
  // A full disk below the log must not end scans: lines wait, up to that bound, and are written when there is room.
  stderr.on('error', () => {});
  stderr.on('drop', () => stderr.flush());
  return pino(
    {
      level,
      base: { pid: process.pid, ...base },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: '[redacted]' },
    },
    stderr,
  );
}

/** For tests and for commands that print their own words. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
