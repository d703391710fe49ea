// `npm run fuzz [-- <minutes> [<test file>...]]`: tests with properties again and again, each round with cases of its own,
// until the time is over (default: 10 minutes) or one fails. `SCANMUX_TEST_SEED=<seed> npx vitest run <file>` repeats it.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT, ensurePackages, packageProgram, run } from './setup.mjs';

const [minutes = '10', ...given] = process.argv.slice(2);
const allowedMs = Number(minutes) * 60_000;
if (Number.isNaN(allowedMs)) {
  console.error(`How many minutes? Not ${minutes}.`);
  process.exit(2);
}

/** Tests that have properties themselves, or by a contract that they run. */
function filesWithProperties() {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).map((file) =>
    join('test', file),
  );
  const imports = (file, what) => readFileSync(join(ROOT, file), 'utf8').includes(what);
  const hasOwn = (file) => imports(file, "from 'fast-check'");
  const contracts = files.filter((file) => file.endsWith('-contract.ts') && hasOwn(file)).map((file) => basename(file));
  return files
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => hasOwn(file) || contracts.some((contract) => imports(file, `/${contract}'`)));
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
