import type { Argument, Command, Option } from 'commander';
import { EXIT_CODES } from './exit-codes.ts';
import { createProgram } from './program.ts';

const INTRODUCTION = `# Command line

\`scanmux\` without a command is an MCP server on stdin and stdout, started by a client; nothing but MCP is ever written
to stdout then. It ends with exit code 0 when the client closes stdin or sends SIGTERM or SIGINT. Scans go on in a
worker process of their own, which ends when there is nothing left to do. With \`--in-process\` (or the setting
\`worker.in_process\`) the server runs scans itself, and lets them finish within the grace time before it ends.

Every other use is for people and scripts. Answers go to stdout, progress and errors to stderr; with \`--json\` the
answer is the JSON that agents get. An error is two lines: \`code: message\` and the next step; the codes are those of
[errors.md](errors.md). \`LOG_LEVEL=debug\` adds logs and, for defects, the stack. Colours and the progress bar appear on
a terminal only; \`NO_COLOR\` turns colours off. Text that a scanned system wrote is shown with its control characters
made visible.`;

/** The reference page of the command line, from the program itself. */
export function renderCliDocs(): string {
  const program = createProgram();
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => [`${code}`, meaning]);
  return [
    INTRODUCTION,
    '## Exit codes',
    'The same for every command.',
    table(['exit code', 'meaning'], codes),
    '## Options of every command',
    optionTable(program.options),
    '## Commands',
    ...program.commands.flatMap((command) => commandDocs(command, 'scanmux')),
  ].join('\n\n');
}

function commandDocs(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((inner) => commandDocs(inner, name));
  const words = [name, ...command.registeredArguments.map(argumentText)].join(' ');
  const options = command.options.length > 0 ? [optionTable(command.options)] : [];
  return [`### \`${words}\``, sentence(command.description()), ...options];
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

const sentence = (text: string): string => (/[.?!]$/.test(text) ? capital(text) : `${capital(text)}.`);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function optionTable(options: readonly Option[]): string {
  const rows = options.map(({ flags, description, argChoices, defaultValue }) => {
    const isShown = typeof defaultValue === 'number' || typeof defaultValue === 'string';
    const choices = argChoices ? `: ${argChoices.join(', ')}` : '';
    return [`\`${flags}\``, `${description}${choices}${isShown ? ` (default ${defaultValue})` : ''}`];
  });
  return table(['option', 'meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
