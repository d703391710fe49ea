// Builds dist/ from src/. `--force` builds even when dist is up to date.
import { chmodSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensurePackages, packageProgram, run } from './setup.mjs';

const DIST = join(ROOT, 'dist');
/** Written last, so that an interrupted build is never taken for a finished one. */
const STAMP = join(DIST, '.built');
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/build.mjs'];

/** Folders count too: their time changes when a file in them is removed or renamed. */
function newestUnder(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestUnder(join(path, name))));
}

function isUpToDate() {
  if (!existsSync(STAMP)) return false;
  const newest = Math.max(...['src', ...SETTINGS].map((name) => newestUnder(join(ROOT, name))));
  return statSync(STAMP).mtimeMs >= newest;
}

function build() {
  const startedAt = new Date();
  rmSync(DIST, { recursive: true, force: true });
  const code = run(process.execPath, [packageProgram('typescript', 'tsc'), '-p', 'tsconfig.build.json']);
  if (code !== 0) process.exit(code);
  const main = join(DIST, 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  writeFileSync(STAMP, '');
  // An edit made while the compiler ran must count as newer.
  utimesSync(STAMP, startedAt, startedAt);
}

ensurePackages();
if (process.argv.includes('--force') || !isUpToDate()) build();
