// `npm run fuzz [-- <minutes> [<test file>...]]`: tests with properties again and again, each round with cases of its own,
// until the time is over (default: 10 minutes) or one fails. `SCANMUX_TEST_SEED=<seed> npx vitest run <file>` repeats it.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensurePackages, packageProgram, run } from './setup.mjs';

const [minutes = '10', ...given] = process.argv.slice(2);
const allowedMs = Number(minutes) * 60_000;
if (Number.isNaN(allowedMs)) {
  console.error(`How many minutes? Not ${minutes}.`);
  process.exit(2);
}

function filesWithProperties() {
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  return tests
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').includes("from 'fast-check'"));
}

ensurePackages();
let code = run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
const files = given.length > 0 ? given : filesWithProperties();
const end = performance.now() + allowedMs;
for (let round = 1; code === 0; round += 1) {
  const seed = randomInt(2 ** 31);
  console.log(`round ${round}: SCANMUX_TEST_SEED=${seed}`);
  const env = { ...process.env, SCANMUX_TEST_SEED: String(seed) };
  code = run(process.execPath, [packageProgram('vitest'), 'run', '--reporter=dot', ...files], { env });
  if (performance.now() > end) break;
}
process.exitCode = code;
