import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { createProgram } from '../../src/cli/program.ts';
import { renderCliDocs } from '../../src/cli/render-docs.ts';

const page = readFileSync('docs/cli.md', 'utf8');
const documented = [...page.matchAll(/^### `scanmux ([^`]+)`$/gm)].map(([, words]) => (words ?? '').split(/ [<[]/)[0]);

describe('docs/cli.md', () => {
  it('is what the program says of itself', () => {
    expect(page).toContain(renderCliDocs());
  });

  it('documents every command there is, and none there is not', () => {
    const names = createProgram().commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
    );
    expect(documented).toEqual(names);
    expect(names).toContain('policy check');
  });

  it('ends each sentence once', () => {
    expect(page).toContain('\nIs every entry as it was written?\n');
    expect(page).not.toMatch(/[.?!]\.$/m);
  });

  it('explains every exit code', () => {
    for (const { code, meaning } of Object.values(EXIT_CODES)) expect(page).toContain(`| ${code} | ${meaning} |`);
  });
});
