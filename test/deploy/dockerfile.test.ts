import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { unknownVariables } from './documents.ts';

/** Instructions with their continued lines, without comments. */
const instructions = readFileSync('deploy/Dockerfile', 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .join('\n')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, word = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
    return { word, rest: rest.replaceAll(/\s+/g, ' ') };
  });
const of = (wanted: string): string[] => instructions.filter(({ word }) => word === wanted).map(({ rest }) => rest);
const last = instructions.slice(instructions.findLastIndex(({ word }) => word === 'FROM'));

it('ends as a user that is not root, with a check of its health, by one program in exec form', () => {
  expect(last.findLast(({ word }) => word === 'USER')?.rest).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  for (const word of ['HEALTHCHECK', 'ENTRYPOINT', 'CMD'])
    expect(of(word).map((rest) => rest.replace(/^.*?(?=\[)/, ''))).toEqual([expect.stringMatching(/^\["/)]);
});

it('runs no install script of a package, and brings no package of development', () => {
  const npm = of('RUN').filter((rest) => rest.includes('npm '));
  expect(npm.length).toBe(2);
  for (const rest of npm) expect(rest).toContain('--ignore-scripts');
  expect(npm.at(-1)).toContain('prune --omit=dev');
});

it('copies only what there is, and what .dockerignore lets through', () => {
  const allowed = new Set(
    readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1)),
  );
  const sources = of('COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) expect([source, existsSync(source), allowed.has(source)]).toEqual([source, true, true]);
});

it('sets only variables that are read', () => {
  const names = [
    ...of('ENV')
      .join(' ')
      .matchAll(/(\w+)=/g),
  ].map(([, name]) => name ?? '');
  expect(names).toContain('SCANMUX_DATA_DIR');
  expect(unknownVariables(names)).toEqual([]);
});
