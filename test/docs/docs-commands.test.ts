import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../src/cli/program.ts';
import { commandsIn, programProblems, scriptProblems } from './documented-commands.ts';

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')));
const inDocs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`);
const pages = [...readdirSync('.'), ...inDocs].filter((name) => name.endsWith('.md'));

describe('the pages of this repository', () => {
  it.each(pages)('%s names only scripts, files and commands that exist', (page) => {
    const problems = commandsIn(readFileSync(page, 'utf8')).flatMap((command) =>
      [...scriptProblems(scripts, existsSync, command), ...programProblems(createProgram(), command)].map(
        (problem) => `${page}:${command.line}: ${problem}`,
      ),
    );
    expect(problems).toEqual([]);
  });

  it.each(pages)('%s leads only to pages and sections that exist', (page) => {
    const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    const missing = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)/g)].filter(
      ([, path = '', section]) => {
        const target = path === '' ? page : join(dirname(page), path);
        return !existsSync(target) || (section !== undefined && !sectionsOf(target).includes(section));
      },
    );
    expect(missing.map(([link]) => link)).toEqual([]);
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
const sectionsOf = (page: string): string[] =>
  [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );

describe('commands in a page', () => {
  const words = (markdown: string): string[] => commandsIn(markdown).map((command) => command.words.join(' '));

  it('are found in shell blocks, whole, without prompt, settings and comments', () => {
    const page = [
      '```sh',
      '$ npm ci  # once',
      'LOG_LEVEL=debug npx scanmux scan \\',
      "  --ports '80, 443' 127.0.0.1 > out.txt",
      'npm test && npm run check',
      '```',
    ].join('\n');
    expect(words(page)).toEqual(['npm ci', 'scanmux scan --ports 80, 443 127.0.0.1', 'npm test', 'npm run check']);
  });

  it('are named with their line', () => {
    const page = ['a `scanmux`', '```sh', 'npm ci', 'npm test \\', '  -- x', '```', 'b `scanmux list`'].join('\n');
    expect(commandsIn(page).map(({ line }) => line)).toEqual([3, 4, 1, 7]);
  });

  it('are found as mentions in the text, and not in blocks of other languages', () => {
    expect(words('Run `scanmux doctor` or `scanmux`.\n```json\nscanmux x\n```\n`other scanmux`')).toEqual([
      'scanmux doctor',
      'scanmux',
    ]);
  });
});

describe('a documented command', () => {
  const program = new Command('scanmux').option('--config <folder>').version('1');
  program.command('scan').argument('<targets...>').option('-p, --ports <list>').option('--json');
  program.command('doctor');
  const policy = program.command('policy');
  policy.command('show');
  policy.command('allow').argument('<target>');

  const problemsOf = (text: string): string[] =>
    commandsIn(`\`\`\`sh\n${text}\n\`\`\``).flatMap((command) => programProblems(program, command));

  it.each([
    'scanmux',
    'scanmux --version',
    'scanmux scan 127.0.0.1 ::1 --ports 80 --json',
    'scanmux scan -p 80,443 localhost',
    'scanmux --config /etc/scanmux doctor',
    'scanmux policy allow --config=/etc 10.0.0.0/8',
    'scanmux scan <targets…>',
    'scanmux doctor --help',
    'scanmux doctor | grep -v ok',
  ])('is right when the program would take it: %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ['scanmux destroy', /no such command/],
    ['scanmux policy revoke 10.0.0.0/8', /no such command/],
    ['scanmux doctor --fast', /no option --fast/],
    ['scanmux policy allow', /needs 1 arguments/],
    ['scanmux policy allow a b', /takes 1 arguments/],
    ['npm ci && scanmux scan --port 80 localhost', /no option --port/],
  ])('is wrong when the program would refuse it: %s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toMatch(problem);
  });

  it('may be mentioned without its arguments, and with alternatives that are each checked', () => {
    const mention = (text: string): string[] =>
      commandsIn(`\`${text}\``).flatMap((command) => programProblems(program, command));
    expect(mention('scanmux policy allow')).toEqual([]);
    expect(mention('scanmux policy show|allow <target>').join()).toMatch(/show takes 0 arguments/);
    expect(mention('scanmux policy allow|deny <target>').join()).toMatch(/no such command/);
  });

  it('that runs one of our scripts is wrong when the script is gone', () => {
    const problems = (text: string): string[] =>
      commandsIn(`\`\`\`sh\n${text}\n\`\`\``).flatMap((command) =>
        scriptProblems({ test: 'x', demo: 'y' }, (path) => path === 'scripts/a.mjs', command),
      );
    expect(problems('npm test\nnpm run demo\nnpm ci\nnode scripts/a.mjs\nnode --version')).toEqual([]);
    expect(problems('npm run nothing\nnode scripts/b.mjs\n.ci/nothing')).toHaveLength(3);
  });
});
