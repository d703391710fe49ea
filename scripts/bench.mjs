// `npm run bench`: builds, then runs the benches of bench/run.ts and prints one table. `npm run bench -- <name> ...` runs
// only those; `--quick` a little of everything.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensurePackages, packageProgram, run } from './setup.mjs';

ensurePackages();
// The compiled source reads its version where the package's root would be.
const compiled = join(ROOT, 'bench', 'out', 'js');
mkdirSync(compiled, { recursive: true });
copyFileSync(join(ROOT, 'package.json'), join(compiled, 'package.json'));
const steps = [
  [join(ROOT, 'scripts', 'build.mjs')],
  [packageProgram('typescript', 'tsc'), '-p', 'tsconfig.bench.json'],
  [join(compiled, 'bench', 'run.js'), ...process.argv.slice(2)],
];
process.exitCode = 0;
for (const step of steps) {
  process.exitCode = run(process.execPath, step);
  if (process.exitCode !== 0) break;
}
