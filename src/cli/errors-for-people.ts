import { AppError, errorFacts } from '../model/errors.ts';
import type { Terminal } from './terminal.ts';

/** Hints are written for agents, who call tools; people have these commands instead. */
const COMMAND_OF_TOOL: Readonly<Record<string, string>> = {
  list_scanners: '`scanmux doctor`',
  list_scans: '`scanmux list`',
  get_scan_status: '`scanmux status`',
  wait_for_scan: '`scanmux status`',
  get_scan_results: '`scanmux results`',
  get_finding: '`scanmux finding`',
  cancel_scan: '`scanmux cancel`',
};

const TOOL = new RegExp(`\\b(Call )?(${Object.keys(COMMAND_OF_TOOL).join('|')})\\b`, 'g');

export const hintForPeople = (hint: string): string =>
  hint.replace(
    TOOL,
    (_, call: string | undefined, tool: string) => `${call ? 'Run ' : ''}${COMMAND_OF_TOOL[tool] ?? tool}`,
  );

/** `code: message` and the next step, on stderr. The stack only for those who debug. */
export function printError(error: unknown, terminal: Terminal, withStack: boolean): void {
  const { code, message, hint } = errorFacts(error);
  terminal.note(`${code}: ${message}`);
  terminal.note(hintForPeople(hint));
  if (!(error instanceof AppError) && !withStack) terminal.note('LOG_LEVEL=debug shows where it happened.');
  if (withStack && error instanceof Error) terminal.note(error.stack ?? String(error));
}
