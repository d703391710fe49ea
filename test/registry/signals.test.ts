import { fork, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../config/temporary-folder.ts';

interface Peer {
  readonly child: ChildProcess;
  /** What it said next. */
  next(): Promise<unknown>;
  /** Resolves once it has said this, whatever it says before. */
  says(expected: object): Promise<void>;
}

async function startPeer(file: string): Promise<Peer> {
  const child = fork(fileURLToPath(new URL('./registry-peer.mjs', import.meta.url)), [file], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const messages = on(child, 'message');
  const next = async (): Promise<unknown> => {
    const { value } = await messages.next();
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    child,
    next,
    async says(expected) {
      for (let said = 0; said < 20; said += 1) {
        if (JSON.stringify(await next()) === JSON.stringify(expected)) return;
      }
      throw new Error(`never said ${JSON.stringify(expected)}`);
    },
  };
}

describe('a process with a registry', () => {
  const good = { pools: ['fake'], broken: false };

  it('reads the file again on SIGHUP, even when it did not change, and lives on', async () => {
    const file = join(temporaryFolder(), 'scanners.yaml');
    writeFileSync(file, 'fake: [{instance_id: a}]\n');
    const peer = await startPeer(file);
    await peer.says(good);
    for (let round = 0; round < 3; round += 1) {
      peer.child.kill('SIGHUP');
      expect(await peer.next()).toEqual(good);
    }
    expect(peer.child.exitCode).toBeNull();
  });

  it('keeps its pools over a broken file and takes the next good one', async () => {
    const file = join(temporaryFolder(), 'scanners.yaml');
    writeFileSync(file, 'fake: [{instance_id: a}]\n');
    const peer = await startPeer(file);
    await peer.says(good);
    writeFileSync(file, 'fake: [{instance_id: a\n');
    peer.child.kill('SIGHUP');
    await peer.says({ pools: ['fake'], broken: true });
    writeFileSync(file, 'fake: []\nfake_2: []\n');
    peer.child.kill('SIGHUP');
    await peer.says({ pools: ['fake', 'fake_2'], broken: false });
  });

  it('sees a changed file without any signal', async () => {
    const file = join(temporaryFolder(), 'scanners.yaml');
    writeFileSync(file, 'fake: [{instance_id: a}]\n');
    const peer = await startPeer(file);
    await peer.says(good);
    writeFileSync(file, 'fake: []\nfake_2: []\n');
    await peer.says({ pools: ['fake', 'fake_2'], broken: false });
  });

  it('ends when it has nothing else to do: watching keeps no process alive', async () => {
    const file = join(temporaryFolder(), 'scanners.yaml');
    writeFileSync(file, 'fake: [{instance_id: a}]\n');
    const peer = await startPeer(file);
    await peer.says(good);
    const exit = once(peer.child, 'exit');
    peer.child.send('go');
    expect(await exit).toEqual([0, null]);
  });
});
