import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { endOrphans, markerOf, processReference } from '../../src/platform/orphans.ts';
import { identityOf } from '../../src/platform/process-identity.ts';
import {
  endGroup,
  outputOf,
  signalGroup,
  startSubprocess,
  type SubprocessOptions,
} from '../../src/platform/subprocess.ts';

const NODE = process.execPath;
const cwd = mkdtempSync(join(tmpdir(), 'scanmux-test-'));
const options = (more: Partial<SubprocessOptions> = {}): SubprocessOptions => ({
  env: {},
  cwd,
  signal: new AbortController().signal,
  graceMs: 2_000,
  ...more,
});
const run = (code: string, more?: Partial<SubprocessOptions>) => startSubprocess(NODE, ['-e', code], options(more));

/** Waits for the first words of a process: its handlers are in place then. */
async function firstWord(stdout: AsyncIterable<unknown>): Promise<string> {
  for await (const chunk of stdout) return String(chunk).trim();
  return '';
}

const FOREVER = 'setInterval(() => {}, 1000);';
/** Says the pid of a child that ignores polite signals, in the same group. */
const FAMILY = `
  const child = require('node:child_process').spawn(process.execPath, ['-e',
    "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); console.log(process.pid); ${FOREVER}"],
    { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.once('data', (pid) => process.stdout.write(pid));
  ${FOREVER}`;

describe('a subprocess', () => {
  it('gets its arguments as they are, only the given environment, and no input', async () => {
    const code =
      'process.stdin.on("data", () => {}).on("end", () => console.log(JSON.stringify([process.argv.slice(1), process.env])))';
    const { stdout, exit } = await startSubprocess(
      NODE,
      ['-e', code, '--', '$HOME; `id`'],
      options({ env: { A: '1' } }),
    );
    const [args, env]: unknown[] = JSON.parse(await text(stdout));
    expect(args).toEqual(['$HOME; `id`']);
    expect(env).toEqual({ A: '1' });
    expect(await exit).toMatchObject({ code: 0, signal: null });
  });

  it('keeps the end of its stderr only', async () => {
    const { stdout, exit } = await run('console.error("a".repeat(100000) + "the end")', { stderrBytes: 10 });
    stdout.resume();
    expect((await exit).stderr).toBe('aathe end\n');
  });

  it('cannot be started from a program that is not there', async () => {
    await expect(startSubprocess('/nonexistent/program', [], options())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not started after an abort', async () => {
    const reason = new Error('too late');
    await expect(run(FOREVER, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('ends on abort with the signal that was asked for', async () => {
    const abort = new AbortController();
    const { stdout, exit } = await run(`console.log('ready'); ${FOREVER}`, {
      signal: abort.signal,
      stopSignal: 'SIGINT',
    });
    await firstWord(stdout);
    abort.abort();
    expect(await exit).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  it('is killed when it ignores the polite signal, together with its children', async () => {
    const abort = new AbortController();
    const family = await run(`process.on('SIGTERM', () => {}); ${FAMILY}`, { signal: abort.signal, graceMs: 200 });
    const child = Number(await firstWord(family.stdout));
    expect(identityOf(child)).toBeDefined();
    abort.abort();
    expect(await family.exit).toMatchObject({ signal: 'SIGKILL' });
    await endGroup(family.pid, 'SIGKILL', 2_000);
    expect(identityOf(child)).toBeUndefined();
    expect(signalGroup(family.pid, 0)).toBe(false);
  });
});

describe('endGroup', () => {
  it('says true for a group that has ended', async () => {
    const { pid, stdout, exit } = await run('');
    stdout.resume();
    await exit;
    expect(await endGroup(pid, 'SIGTERM', 1_000)).toBe(true);
  });

  it('ends children that outlived the leader of their group', async () => {
    const family = await run(FAMILY);
    const child = Number(await firstWord(family.stdout));
    process.kill(family.pid, 'SIGKILL');
    family.stdout.destroy();
    await family.exit;
    expect(identityOf(child)).toBeDefined();
    expect(await endGroup(family.pid, 'SIGTERM', 100)).toBe(true);
    expect(identityOf(child)).toBeUndefined();
  });
});

describe('outputOf', () => {
  it('gives what a program says, and nothing for a failure, a missing program or a slow one', () => {
    expect(outputOf(NODE, ['-p', '6 * 7'], 10_000)).toBe('42\n');
    expect(outputOf(NODE, ['-e', 'process.exit(1)'], 10_000)).toBeUndefined();
    expect(outputOf('/nonexistent/program', [], 10_000)).toBeUndefined();
    expect(outputOf(NODE, ['-e', FOREVER], 300)).toBeUndefined();
  });
});

describe('endOrphans', () => {
  it('ends the marked processes of every attempt of a scan, and those of no other scan', async () => {
    const env = (scanId: string, epoch: number) => ({ env: markerOf(scanId, epoch) });
    const ready = `console.log('ready'); ${FOREVER}`;
    const own = [await run(ready, env('scan_a', 1)), await run(ready, env('scan_a', 12))];
    const other = await run(ready, env('scan_ab', 1));
    for (const { stdout } of [...own, other]) await firstWord(stdout);
    expect(await endOrphans({ scanId: 'scan_a' })).toBe(2);
    expect(await Promise.all(own.map(({ exit }) => exit))).toMatchObject([
      { signal: 'SIGKILL' },
      { signal: 'SIGKILL' },
    ]);
    expect(identityOf(other.pid)).toBeDefined();
    await endGroup(other.pid, 'SIGKILL', 2_000);
    await other.exit;
  });

  it('ends the process a checkpoint names, with its group', async () => {
    const family = await run(FAMILY);
    const child = Number(await firstWord(family.stdout));
    const reference = processReference(family.pid);
    expect(reference).toBeDefined();
    await endOrphans({ scanId: 'scan_a', ...(reference ? { reference } : {}) });
    await family.exit;
    expect(identityOf(child)).toBeUndefined();
  });

  it('leaves a process alone that only has the id of the named one', async () => {
    const innocent = await run(`console.log('ready'); ${FOREVER}`);
    await firstWord(innocent.stdout);
    const reference = JSON.stringify({ ...identityOf(innocent.pid), started: '1' });
    expect(await endOrphans({ scanId: 'scan_a', reference })).toBe(0);
    expect(await endOrphans({ scanId: 'scan_a', reference: 'not ours' })).toBe(0);
    expect(identityOf(innocent.pid)).toBeDefined();
    await endGroup(innocent.pid, 'SIGKILL', 2_000);
    await innocent.exit;
  });
});
