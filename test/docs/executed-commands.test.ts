import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { commandsIn } from './documented-commands.ts';

const PAGES = ['README.md', 'docs/operations.md', 'docs/security.md'];
const run = promisify(execFile);

const exitCodeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error);

/** The scan ids of a page are made up, and what it checks may be out of scope; everything else must work as it stands. */
function expectedCodes(args: string): readonly number[] {
  const { ok, refused, not_found: notFound } = EXIT_CODES;
  if (args.includes('scan_0')) return [notFound.code];
  return args.startsWith('policy check') ? [ok.code, refused.code] : [ok.code];
}

/** Those that go on until they are told to end. */
const STAYING: ReadonlySet<string> = new Set(['serve', 'worker']);

/** Exit code of a command that says that it has begun, and is then asked to end. */
async function codeOfStaying(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown> {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
  child.kill('SIGTERM');
  const [code] = await ended;
  return code;
}

it('runs every command that a page shows as a block to copy, in the order of the pages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-pages-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = { SCANMUX_CONFIG_DIR: join(folder, 'config'), SCANMUX_DATA_DIR: join(folder, 'data') };
  const commands = PAGES.flatMap((page) => commandsIn(readFileSync(page, 'utf8')))
    .filter(({ words, whole }) => whole && words[0] === 'scanmux' && words.length > 1)
    .map(({ words }) => words.slice(1));
  expect(commands.length).toBeGreaterThan(10);
  for (const args of new Set(commands.map((words) => words.join(' ')))) {
    const argv = args.split(' ');
    const code = STAYING.has(argv[0] ?? '')
      ? await codeOfStaying(argv, env)
      : await run(process.execPath, ['dist/cli/main.js', ...argv], { env, timeout: 50_000 }).then(() => 0, exitCodeOf);
    expect(expectedCodes(args), args).toContain(code);
  }
}, 120_000); // some thirty processes, one after the other
