import { CommanderError } from 'commander';
import { variable, type Environment } from '../config/environment.ts';
import { AppError } from '../model/errors.ts';
import { printError } from './errors-for-people.ts';
import { exitCode, exitOfError } from './exit-codes.ts';
import { endOnFaults } from './faults.ts';
import { createProgram } from './program.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Patience for handles that a library forgot; by then everything that matters has been closed and written. */
const LINGER_MS = 2_000;

/** Runs one command and leaves its exit code with the process. Never throws. */
export async function runCommandLine(argv: readonly string[], env: Environment): Promise<void> {
  const isDebugging = variable(env, 'LOG_LEVEL')?.toLowerCase() === 'debug';
  endOnFaults(isDebugging);
  const terminal = createTerminal(process.stdout, process.stderr, env);
  process.stdout.on('error', (error) => process.exit(endOfStdout(error, terminal)));
  const program = createProgram(async (globals, action) => {
    const { createSession } = await import('./session.ts');
    process.exitCode = await action(createSession(globals, terminal, env));
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    process.exitCode = codeOf(error);
    if (!(error instanceof CommanderError)) printError(error, terminal, isDebugging);
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** `scanmux list | head`: nobody reads on, which is no failure. An answer that the disk had no room for is one. */
function endOfStdout(error: Error, terminal: Terminal): number {
  if ('code' in error && error.code === 'EPIPE') return exitCode('ok');
  const isFull = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  const failure = new AppError(
    isFull ? 'storage_full' : 'storage_unusable',
    `The answer could not be written to stdout: ${error.message}.`,
    { cause: error, hint: 'What was asked for may be done all the same; look before you run the command again.' },
  );
  printError(failure, terminal, false);
  return exitCode(exitOfError(failure));
}

/** Commander has printed its own words; asking for help or the version is no mistake. */
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return exitCode(error.exitCode === 0 ? 'ok' : 'usage');
  return exitCode(exitOfError(error));
}
