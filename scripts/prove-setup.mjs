// Proves that a stranger can set the project up: a clone in an empty folder, an empty npm cache, the README's commands.
// Strict: a package that does not promise to run on this Node is a failure, not a warning nobody reads.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, npmCommand, run } from './setup.mjs';

const folder = mkdtempSync(join(tmpdir(), 'scanmux-setup-'));
const clone = join(folder, 'scanmux');
const env = { ...process.env, npm_config_cache: join(folder, 'npm-cache') };
const [npm, ...npmArgv] = npmCommand();

const STEPS = [
  ['git', ['clone', '--quiet', ROOT, clone], { env }],
  [npm, [...npmArgv, 'ci', '--ignore-scripts', '--engine-strict', '--no-audit', '--no-fund'], { cwd: clone, env }],
  [process.execPath, ['scripts/build.mjs'], { cwd: clone, env }],
  [process.execPath, ['dist/cli/main.js', '--version'], { cwd: clone, env }],
];

const startedAt = performance.now();
try {
  for (const [file, argv, options] of STEPS) {
    const code = run(file, argv, options);
    if (code === 0) continue;
    console.error(`set-up from a clean clone failed at: ${argv.join(' ')}`);
    process.exitCode = 1;
    break;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (!process.exitCode) {
  console.log(`set-up from a clean clone works (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
}
