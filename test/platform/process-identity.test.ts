import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, identityText, isAlive, isRunning, ownIdentity } from '../../src/platform/process-identity.ts';

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

describe('a process of another container on this machine', () => {
  const [machine = ''] = own().split('|');

  it('counts as alive, because its id says nothing here', () => {
    for (const id of [process.pid, 4_194_304]) {
      expect(isAlive(`${machine.split('/')[0]}/1|${id}|5`), String(id)).toBe(true);
      expect(isAlive(`${machine}|${id}|5|worker`, '1'), String(id)).toBe(true);
    }
  });

  it('is never taken for one that can be seen, and ended', () => {
    expect(isRunning(ownIdentity())).toBe(true);
    expect(isRunning({ ...ownIdentity(), namespace: '1' })).toBe(false);
  });

  it('has ended when the machine was started again since', () => {
    expect(isAlive('an-earlier-boot/1|1|5')).toBe(false);
  });
});

describe('a process counts as ended', () => {
  it('unless it is this very one', () => {
    expect(isAlive(own())).toBe(true);
  });

  it('when its id now belongs to a process that started at another time', () => {
    const { started, ...same } = ownIdentity();
    expect(isAlive(identityText({ ...same, started: `${started}1` }))).toBe(false);
  });

  it('when the machine has been started again since', () => {
    expect(isAlive(identityText({ ...ownIdentity(), boot: 'an-earlier-boot' }))).toBe(false);
  });

  it.each(['', '|', 'x', '||', 'boot|1', `${'|'.repeat(5)}`])('when its text is damaged: %j', (text) => {
    expect(isAlive(text)).toBe(false);
  });

  it('when its id is no number, also with the boot of this machine', () => {
    const [machine, , started] = own().split('|');
    for (const pid of ['', '-1', '1e3', '../self', '0x1']) expect(isAlive(`${machine}|${pid}|${started}`)).toBe(false);
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
