import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

const require = createRequire(import.meta.url);
const FIXES = pathToFileURL(resolve('test/conformance/package-fixes.mjs')).href;

export const CONFORMANCE = require.resolve('@modelcontextprotocol/conformance/dist/index.js');
export const INSPECTOR = require.resolve('@modelcontextprotocol/inspector-cli/build/index.js');

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of a package to its end, in an empty folder: some write where they are started. */
export function runProgram(program: string, argv: readonly string[]): Promise<Said> {
  const cwd = mkdtempSync(join(tmpdir(), 'scanmux-program-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--import', FIXES, program, ...argv], { cwd });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString('utf8')));
  child.stdin.end();
  return new Promise((done) => {
    child.once('close', (code) => done({ code, ...said }));
  });
}
