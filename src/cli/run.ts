import { CommanderError } from 'commander';
import { variable, type Environment } from '../config/environment.ts';
import { printError } from './errors-for-people.ts';
import { exitCode, exitOfError } from './exit-codes.ts';
import { endOnFaults } from './faults.ts';
import { createProgram } from './program.ts';
import { createTerminal } from './terminal.ts';

/** Patience for handles that a library forgot; by then everything that matters has been closed and written. */
const LINGER_MS = 2_000;

/** Runs one command and leaves its exit code with the process. Never throws. */
export async function runCommandLine(argv: readonly string[], env: Environment): Promise<void> {
  const isDebugging = variable(env, 'LOG_LEVEL')?.toLowerCase() === 'debug';
  endOnFaults(isDebugging);
  // `scanmux list | head`: nobody reads on, which is no failure.
  process.stdout.on('error', () => process.exit(exitCode('ok')));
  const terminal = createTerminal(process.stdout, process.stderr, env);
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

/** Commander has printed its own words; asking for help or the version is no mistake. */
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return exitCode(error.exitCode === 0 ? 'ok' : 'usage');
  return exitCode(exitOfError(error));
}
