// `npm run bench -- <name>`: builds, then runs bench/<name>.ts; without a name, lists what there is.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensurePackages, packageProgram, run } from './setup.mjs';

const [name, ...argv] = process.argv.slice(2);
const source = (bench) => join(ROOT, 'bench', `${bench}.ts`);
/** The ones that report; the others are parts of them. */
const benches = readdirSync(join(ROOT, 'bench'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .filter((bench) => /^import .*\breport\b.* from '\.\/harness\.ts'/m.test(readFileSync(source(bench), 'utf8')));

if (name === undefined || !existsSync(source(name))) {
  console.log(`npm run bench -- <name>, one of: ${benches.join(', ')}`);
  process.exit(name === undefined ? 0 : 1);
}
ensurePackages();
const steps = [
  [join(ROOT, 'scripts', 'build.mjs')],
  [packageProgram('typescript', 'tsc'), '-p', 'tsconfig.bench.json'],
  [join(ROOT, 'bench', 'out', 'js', 'bench', `${name}.js`), ...argv],
];
process.exitCode = 0;
for (const step of steps) {
  process.exitCode = run(process.execPath, step);
  if (process.exitCode !== 0) break;
}
