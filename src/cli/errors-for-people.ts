import { AppError, errorFacts } from '../model/errors.ts';
import type { Terminal } from './terminal.ts';

/** Hints are written for agents, who call tools; people have these commands instead. */
const COMMAND_OF_TOOL: Readonly<Record<string, string>> = {
  list_scanners: '`scanmux doctor`',
  list_scans: '`scanmux list`',
  run_untrusted_scan: '`scanmux scan`',
  get_scan_status: '`scanmux status`',
  wait_for_scan: '`scanmux status`',
  get_scan_results: '`scanmux results`',
  get_finding: '`scanmux finding`',
  compare_scans: '`scanmux compare`',
  search_findings: '`scanmux search`',
  cancel_scan: '`scanmux cancel`',
  import_report: '`scanmux import`',
  export_report: '`scanmux export`',
  suppress_finding: '`scanmux suppress`',
};

const TOOL = new RegExp(`\\b(Call )?(${Object.keys(COMMAND_OF_TOOL).join('|')})\\b`, 'g');

/** Whoever runs a command is the operator, and repeats commands, not calls. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bCorrect the named argument and call again\./g, 'Correct it and run the command again; --help explains it.'],
  [/\bRepeat the call without a cursor\b/g, 'Run the command again without --cursor'],
  [/\bwhose target_kinds in list_scanners include this kind\b/g, 'for this kind'],
  [
    /\blist_scanners with remote_scans: true shows the sources there are\./g,
    'The id of a scan is in its address in the pages of the scanner.',
  ],
  [/\bcall again with next_cursor\b/g, 'add --all'],
  [/ ?\bMore with next_cursor\./g, ''],
  [/\bas scanner_pool\b/g, 'with --pool'],
  [/\bName one as base_scan_id\b/g, 'Name one after it'],
  [/\binclude_suppressed\b/g, '--include-suppressed'],
  [/\bcall again\b/g, 'run the command again'],
  [/ ?\bDo not retry\./g, ''],
  [/\bOperator: (?=scanmux )/g, 'To allow it: '],
  [/\bmax_duration_minutes\b/g, '--max-duration'],
  [/\bwith keep_partial: true\b/g, 'with --keep-partial'],
];

export function hintForPeople(hint: string): string {
  const worded = WORDS.reduce((text, [agents, peoples]) => text.replace(agents, peoples), hint);
  return worded
    .replace(
      TOOL,
      (_, call: string | undefined, tool: string) => `${call ? 'Run ' : ''}${COMMAND_OF_TOOL[tool] ?? tool}`,
    )
    .replace(/\b(O|or o)perator: (\w)/g, (_, start: string, first: string) =>
      start === 'O' ? first.toUpperCase() : `or ${first}`,
    )
    .trim();
}

/** What a YAML library says, without the piece of the file it quotes below: that may be long, or a secret. */
export function withoutExcerpt(message: string): string {
  const [said = '', ...excerpt] = message.split(/\n\s*\n/);
  return excerpt.length === 0 ? message : `${said.replace(/:$/, '')}.`;
}

export const refusedPolicy = (why: string): string =>
  `The policy file was refused, so nothing is allowed: ${withoutExcerpt(why)}`;

/** `code: message` and the next step, on stderr. The stack only for those who debug. */
export function printError(error: unknown, terminal: Terminal, withStack: boolean): void {
  const { code, message, hint } = errorFacts(error);
  terminal.note(`${code}: ${withoutExcerpt(message)}`);
  terminal.note(hintForPeople(hint));
  if (!(error instanceof AppError) && !withStack) terminal.note('LOG_LEVEL=debug shows where it happened.');
  if (withStack && error instanceof Error) terminal.note(error.stack ?? String(error));
}
