import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { diskTrouble, troubleOf } from '../../src/cli/follow-trouble.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { createPlace, MAIN, runCommand, startCommand, untilEnded, type Place } from './command-process.ts';

let place: Place;
let silent: Server;
let target: string;
beforeEach(async () => {
  place = createPlace();
  // Accepts and never answers, so that the scan lasts; a scan that is ended resets its connection.
  silent = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
  const address = silent.address();
  target = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterEach(async () => {
  silent.close();
  await place.clean();
});

/** The command behind a real pseudo-terminal; what is written to its stdin is typed. */
function startInTerminal(argv: readonly string[]): ChildProcess {
  const command = [process.execPath, MAIN, ...argv];
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const words = process.platform === 'darwin' ? ['-q', '/dev/null', ...command] : ['-qefc', quoted, '/dev/null'];
  return spawn('script', words, { cwd: place.folder, env: place.env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Resolves when a process has said it; ends with the process at the latest. */
function untilSaid({ stdout, stderr }: ChildProcess, words: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    for (const stream of [stdout, stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (words.test(said)) resolve(said);
      });
      stream?.once('close', () => resolve(said));
    }
  });
}

const CTRL_C = '\u0003';

describe('following a scan', () => {
  it('says within seconds that no worker can be started, and goes on waiting', async () => {
    expect((await runCommand(place, ['list'])).code).toBe(0);
    writeFileSync(join(place.data, 'logs'), 'a file where the folder of the worker log should be');
    const child = startCommand(place, ['scan', target]);
    const ended = untilEnded(child);
    const said = await untilSaid(child, /worker\.log/);
    expect(said).toMatch(
      /^It waits for a worker to start\. If none comes, .*worker\.log and `scanmux doctor` say why\.$/m,
    );
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    const [, id = ''] = /scanmux cancel (scan_\w+)/.exec(stderr) ?? [];
    expect((await runCommand(place, ['cancel', id])).stdout).toContain('will not start');
  });

  it('tells a running scan whose worker is gone from one that only takes long', async () => {
    const running = { state: 'running', waiting_for: 'none' } as const;
    const session = { folders: () => ({ config: tmpdir(), data: tmpdir() }) };
    const app = (holder: string | undefined) => ({
      seat: { holder: () => Promise.resolve(holder) },
      settings: { storage_reserve_mb: 0 },
    });
    expect(await troubleOf(session, app(undefined), running)).toMatch(/^Its worker is gone: it waits for another one/);
    expect(await troubleOf(session, app('a|1'), running)).toBeUndefined();
    expect(await troubleOf(session, app('a|1'), { state: 'queued', waiting_for: 'slot' })).toBe(
      'It waits for a free slot of its pool.',
    );
  });

  it('tells a disk without room from one with room', async () => {
    expect(await diskTrouble(tmpdir(), 0)).toBeUndefined();
    expect(await diskTrouble(tmpdir(), 1e12)).toMatch(/^storage_full: only \d+ MB are free for /);
  });
});

describe('Ctrl-C on a terminal', () => {
  it('leaves the scan running and tells how to come back', async () => {
    const child = startInTerminal(['scan', target]);
    const ended = untilEnded(child);
    await untilSaid(child, /\[-{24}\]/);
    child.stdin?.write(CTRL_C);
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    const [, id = ''] = /scanmux status (scan_\w+) {3}End it with: scanmux cancel/.exec(stdout) ?? [];
    expect((await runCommand(place, ['status', id, '--json'])).stdout).toMatch(/"state": "(queued|running)"/);
    expect((await runCommand(place, ['cancel', id])).stdout).toMatch(/was told to stop|will not start/);
  });

  it('ends at once the second time, also while the queue is held by another process', async () => {
    expect((await runCommand(place, ['list'])).code).toBe(0);
    const head = (): string => readFileSync(join(place.data, 'audit.head'), 'utf8');
    const before = head();
    const queue = openDatabase(join(place.data, 'queue.db'));
    queue.exec('BEGIN IMMEDIATE');
    try {
      const child = startInTerminal(['scan', target]);
      const ended = untilEnded(child);
      const warned = untilSaid(child, /Ctrl-C again ends at once/);
      // The submission is in the audit log before it is in the queue, which is where it now waits.
      await vi.waitFor(() => expect(head()).not.toBe(before), 25_000);
      child.stdin?.write(CTRL_C);
      expect(await warned).toContain('just being accepted');
      child.stdin?.write(CTRL_C);
      expect((await ended).code).toBe(130);
    } finally {
      queue.exec('ROLLBACK');
      queue.close();
    }
  });
});
