import type { Command, Option } from 'commander';

/** A command line a page shows. `whole`: it stands in a code block to be copied, so its arguments must be there too. */
export interface DocumentedCommand {
  readonly line: number;
  readonly words: readonly string[];
  readonly whole: boolean;
}

const BLOCK = /^ *(```+|~~~+)(\w*)[^\n]*\n([\s\S]*?)^ *\1/gm;
const SHELLS = new Set(['sh', 'bash', 'shell', 'console']);
const SEPARATORS = new Set(['|', '||', '&&', ';', '&']);

/** Words of a shell line, quotes removed; commands apart, redirections and comments left out. */
function commandsOfLine(text: string): string[][] {
  const commands: string[][] = [[]];
  const plain = text.replaceAll(/\s\d?>{1,2}\s*\S+|\s<\s+\S+/g, '');
  for (const token of plain.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? []) {
    if (token.startsWith('#')) break;
    if (SEPARATORS.has(token)) commands.push([]);
    else commands.at(-1)?.push(token.replaceAll(/["']/g, ''));
  }
  return commands.map(withoutPrefix).filter((words) => words.length > 0);
}

/** Without the prompt, `NAME=value` before the command, `sudo` and `npx`. */
function withoutPrefix(words: readonly string[]): string[] {
  const first = words.findIndex((word) => !/^(\$|sudo|npx|-y|--yes|exec|env|[A-Z_][A-Z0-9_]*=.*)$/.test(word));
  return first === -1 ? [] : words.slice(first);
}

/** Every command in shell code blocks of a Markdown page, and every `scanmux …` mentioned in its text. */
export function commandsIn(markdown: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  const add = (shell: string, at: number, whole: boolean): void => {
    const line = markdown.slice(0, at).split('\n').length;
    found.push(...commandsOfLine(shell).map((words) => ({ line, words, whole })));
  };
  for (const { 0: block, 2: language = '', 3: body = '', index } of markdown.matchAll(BLOCK)) {
    if (!SHELLS.has(language)) continue;
    // A backslash at its end joins a line with the next one.
    for (const shell of body.matchAll(/(?:[^\n]*\\\n)*[^\n]+/g))
      add(shell[0].replaceAll('\\\n', ' '), index + block.indexOf(body) + shell.index, true);
  }
  const text = markdown.replaceAll(BLOCK, (block) => block.replaceAll(/[^\n]/g, ' '));
  for (const { 1: span = '', index } of text.matchAll(/`(scanmux(?: [^`]*)?)`/g)) add(span, index, false);
  return found;
}

const optionNamed = (chain: readonly Command[], name: string): Option | undefined =>
  chain.flatMap(({ options }) => options).find(({ long, short }) => name === long || name === short);

const IS_OPTION = /^--?[A-Za-z]/;
/** `--help`, and the signs of a description: `[options]`, `…`. */
const SAYS_NOTHING = /^(--help|-h|help|\[.*|.*\]|…|\.\.\.)$/;

/** What is wrong with one `scanmux …` command line, measured against the real program; empty when it would be taken. */
export function programProblems(program: Command, { words, whole }: DocumentedCommand): string[] {
  const [name, ...rest] = words;
  if (name !== program.name()) return [];
  const alternatives = rest.findIndex((word) => /^[a-z-]+(\|[a-z-]+)+$/.test(word));
  const choices = alternatives === -1 ? [] : (rest[alternatives]?.split('|') ?? []);
  if (choices.length > 0) {
    const others = (choice: string): string[] => [
      ...words.slice(0, alternatives + 1),
      choice,
      ...rest.slice(alternatives + 1),
    ];
    return choices.flatMap((choice) => programProblems(program, { line: 0, words: others(choice), whole }));
  }
  return walk(program, rest, whole);
}

function walk(program: Command, words: readonly string[], whole: boolean): string[] {
  const problems: string[] = [];
  const chain = [program];
  let current = program;
  let operands = 0;
  let isValue = false;
  for (const word of words.filter((text) => !SAYS_NOTHING.test(text))) {
    const next = current.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (isValue) isValue = false;
    else if (IS_OPTION.test(word)) {
      const option = optionNamed(chain, word.split('=')[0] ?? '');
      if (!option) problems.push(`${current.name()} has no option ${word}`);
      isValue = option?.required === true && !word.includes('=');
    } else if (next && operands === 0) {
      chain.push(next);
      current = next;
    } else operands += 1;
  }
  return [...problems, ...operandProblems(current, operands, whole)];
}

function operandProblems(command: Command, count: number, whole: boolean): string[] {
  const { registeredArguments: taken } = command;
  const needed = taken.filter(({ required }) => required).length;
  if (count > taken.length && !taken.at(-1)?.variadic)
    return [`${command.name()} takes ${taken.length} arguments or has no such command, given ${count}`];
  return whole && count < needed ? [`${command.name()} needs ${needed} arguments, given ${count}`] : [];
}

/** What is wrong with a command that runs a script of this package. */
export function scriptProblems(
  scripts: Readonly<Record<string, string>>,
  exists: (path: string) => boolean,
  { words }: DocumentedCommand,
): string[] {
  const [program, first, second = ''] = words;
  if (program === 'npm' && first === 'run' && !(second in scripts)) return [`npm has no script ${second}`];
  if (program === 'npm' && first === 'test' && !('test' in scripts)) return ['npm has no script test'];
  const file = (program === 'node' ? first : program) ?? '';
  const isOurs = /^(\.\/|\.ci\/|scripts\/|bench\/)/.test(file);
  return isOurs && !exists(file) ? [`there is no file ${file}`] : [];
}
