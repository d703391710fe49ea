import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAX_LINES, MAY_IMPORT, problemsOf } from './architecture-rules.ts';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name).replaceAll('\\', '/'))
  .toSorted();

describe('every source file keeps to its room', () => {
  it('is a file the rules know how to read', () => {
    expect(sources).toContain('src/model/errors.ts');
  });

  it.each(sources)('%s', (file) => {
    expect(problemsOf(file, readFileSync(file, 'utf8'))).toEqual([]);
  });
});

describe('the table of rooms', () => {
  it('has no two rooms that may import each other', () => {
    const both = Object.entries(MAY_IMPORT).flatMap(([from, targets]) =>
      targets.filter((to) => MAY_IMPORT[to]?.includes(from)).map((to) => `${from} <-> ${to}`),
    );
    expect(both).toEqual([]);
  });

  it('keeps worker and tools apart: they meet in the queue', () => {
    expect(MAY_IMPORT['worker']).not.toContain('tools');
    expect(MAY_IMPORT['tools']).not.toContain('worker');
  });
});

describe('the rules catch', () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ['an import to the right', 'src/model/x.ts', `import { a } from '../queue/queue.ts';`, /may not import src\/queue/],
    ['a type import', 'src/tools/x.ts', `import type { A } from '../queue/queue.ts';`, /may not import src\/queue/],
    ['a dynamic import', 'src/scans/x.ts', `const a = await import('../http/serve.ts');`, /may not import src\/http/],
    ['an import over many lines', 'src/model/x.ts', `import {\n  a,\n} from '../cli/b.ts';`, /may not import src\/cli/],
    ['a re-export', 'src/model/x.ts', `const b = 1;\nexport { a } from '../scans/a.ts';`, /may not import src\/scans/],
    ['an import for its effect', 'src/model/x.ts', `import '../app.ts';`, /may not import src\/app\.ts/],
    ['an adapter', 'src/worker/x.ts', `import { a } from '../queue/sqlite/queue.ts';`, /app\.ts builds it/],
    [
      'an engine in the worker',
      'src/worker/x.ts',
      `import { a } from '../scanners/nmap/scanner.ts';`,
      /app\.ts builds/,
    ],
    ['a policy adapter', 'src/cli/x.ts', `import { a } from '../policy/resolver.ts';`, /app\.ts builds it/],
    ['another engine', 'src/scanners/nmap/x.ts', `import { a } from '../baseline/tls.ts';`, /another engine/],
    [
      'the MCP SDK',
      'src/tools/x.ts',
      `import { a } from '@modelcontextprotocol/sdk/types.js';`,
      /may not import @model/,
    ],
    [
      'the database driver',
      'src/queue/sqlite/x.ts',
      `import { a } from '@photostructure/sqlite';`,
      /may not import @photo/,
    ],
    [
      'a child process',
      'src/scanners/nmap/x.ts',
      `import { spawn } from 'node:child_process';`,
      /may not import node:ch/,
    ],
    ['an unknown room', 'src/misc/x.ts', `const a = 1;`, /no known room: misc/],
    ['a second file beside app.ts', 'src/extra.ts', `const a = 1;`, /no known room/],
    ['the environment', 'src/worker/x.ts', `const a = process.env['HOME'];`, /environment/],
    ['the environment by name', 'src/worker/x.ts', `import { env } from 'node:process';`, /environment/],
    ['a barrel', 'src/model/x.ts', `// all\nexport * from './a.ts';\nexport type { B } from './b.ts';\n`, /re-exports/],
    ['a barrel by import', 'src/model/x.ts', `import { a } from './a.ts';\nexport { a };\n`, /re-exports/],
    ['a default export', 'src/model/x.ts', `export default function a() {}`, /default export/],
    ['a default export by name', 'src/model/x.ts', `const a = 1;\nexport { a as default };`, /default export/],
    ['a long file', 'src/model/x.ts', 'const a = 1;\n'.repeat(MAX_LINES + 1), /more than 250 lines/],
    ['an empty name', 'src/model/scan-utils.ts', 'const a = 1;', /says nothing: utils/],
  ];

  it.each(cases)('%s', (_title, file, source, problem) => {
    expect(problemsOf(file, source).join('\n')).toMatch(problem);
  });

  it('nothing in what is allowed', () => {
    const allowed: readonly (readonly [string, string])[] = [
      [
        'src/app.ts',
        `import { a } from './queue/sqlite/queue.ts';\nconst b = await import('./scanners/nmap/type.ts');`,
      ],
      ['src/worker/x.ts', `import type { Scanner } from '../scanners/scanner.ts';\nexport const a = 1;`],
      [
        'src/scanners/nmap/x.ts',
        `import { a } from './argv.ts';\nimport { b } from '../scanner.ts';\nexport const c = 1;`,
      ],
      ['src/cli/x.ts', `import { a } from '../policy/edit-policy.ts';\nexport const b = 1;`],
      ['src/queue/sqlite/x.ts', `import { a } from '../queue.ts';\nexport const b = 1;`],
      ['src/config/x.ts', `export const a = process.env['HOME'];`],
      ['src/model/x.ts', `/** Never reads process.env. */\n// import '../app.ts'\nexport const a = 1;`],
      ['src/model/y.ts', `import { a } from './a.ts';\nexport const b = a;\nexport { a };`],
    ];
    expect(allowed.flatMap(([file, source]) => problemsOf(file, source))).toEqual([]);
  });
});
