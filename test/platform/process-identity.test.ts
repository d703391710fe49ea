import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, identityText, isAlive, ownIdentity } from '../../src/platform/process-identity.ts';

const own = (): string => identityText(ownIdentity());

describe('the identity of a process', () => {
  it('is the same at every reading', () => {
    expect(identityOf(process.pid)).toEqual(ownIdentity());
  });

  it('differs from the one of its child', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const identity = identityOf(child.pid ?? 0);
    expect(identity?.pid).toBe(child.pid);
    expect(identity && isAlive(identityText(identity))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identity && isAlive(identityText(identity))).toBe(false);
    expect(identityOf(child.pid ?? 0)).toBeUndefined();
  });
});

describe('a process counts as ended', () => {
  it('unless it is this very one', () => {
    expect(isAlive(own())).toBe(true);
  });

  it('when its id now belongs to a process that started at another time', () => {
    const { boot, pid, started } = ownIdentity();
    expect(isAlive(identityText({ boot, pid, started: `${started}1` }))).toBe(false);
  });

  it('when the machine has been started again since', () => {
    expect(isAlive(identityText({ ...ownIdentity(), boot: 'an-earlier-boot' }))).toBe(false);
  });

  it.each(['', '|', 'x', '||', 'boot|1', `${'|'.repeat(5)}`])('when its text is damaged: %j', (text) => {
    expect(isAlive(text)).toBe(false);
  });

  it('when its id is no number, also with the boot of this machine', () => {
    const { boot, started } = ownIdentity();
    for (const pid of ['', '-1', '1e3', '../self', '0x1']) expect(isAlive(`${boot}|${pid}|${started}`)).toBe(false);
  });

  it('when it is a zombie: its parent has not taken note yet', async () => {
    // The shell starts a short child and becomes a program that never asks for its children's ends.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line]: unknown[] = await once(parent.stdout, 'data');
    const pid = Number(String(line).trim());
    const identity = identityOf(pid);
    const state = (): string => spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
    while (!state().startsWith('Z')) await turn(); // bounded by the time limit of the test
    expect(identity && isAlive(identityText(identity))).toBe(false);
    expect(identityOf(pid)).toBeUndefined();
  });
});
