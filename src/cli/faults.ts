import { writeSync } from 'node:fs';

/** One JSON line on stderr in the shape of the log, written without the logger, which may be what broke. */
export function logFault(error: unknown, msg: string, withStack: boolean): void {
  const type = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  const stack = withStack && error instanceof Error ? { stack: error.stack } : {};
  const line = {
    level: 'error',
    time: new Date().toISOString(),
    pid: process.pid,
    err: { type, message, ...stack },
    msg,
  };
  try {
    writeSync(2, `${JSON.stringify(line)}\n`);
  } catch {
    // Whoever read stderr has gone.
  }
}

/** What nobody caught ends the process with one line and exit code 1. A stderr that takes nothing more ends nothing. */
export function endOnFaults(withStack: boolean): void {
  const end = (error: unknown): never => {
    logFault(error, 'unexpected error; the process ends', withStack);
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
  process.stderr.on('error', () => {});
}
