// `npm test`: installs what is missing, builds, runs every test. Arguments go to Vitest; `--report <file>` names the
// JSON report. A skipped test is a failure: it would hide that a tool is missing.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensurePackages, ensureTools, packageProgram, run } from './setup.mjs';
import { countsLine, countsOf } from './report.mjs';

const given = process.argv.slice(2);
const at = given.indexOf('--report');
const report = join(ROOT, at === -1 ? '.vitest-report.json' : given.splice(at, 2)[1]);
/** Whoever asks for tests by name leaves others out on purpose. */
const isByName = given.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'));

ensurePackages();
ensureTools();
const built = run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
if (built !== 0) process.exit(built);

rmSync(report, { force: true });
const code = run(process.execPath, [
  packageProgram('vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...given,
]);

const counts = countsOf(report);
const left = isByName ? 0 : counts.left;
if (left > 0) console.error(`${left} tests were skipped or are still to do: that is a failure.`);
if (counts.passed === 0) console.error('No test passed: that is a failure.');
if (code !== 0 && counts.failed === 0) console.error(`Vitest ended with exit code ${code} outside any test.`);
console.log(countsLine(counts));
process.exitCode = code !== 0 || counts.failed > 0 || counts.passed === 0 || left > 0 ? 1 : 0;
