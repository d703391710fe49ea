import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { newScanId } from '../../src/model/ids.ts';
import { endMarked, endOrphans, markerOf } from '../../src/platform/orphans.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A real process in a group of its own, as an engine is. */
async function engineOf(scanId: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)'], {
    env: { OTHER: 'x', ...markerOf(scanId, 3) },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe('what dead workers left', () => {
  it('is ended by its marker alone, and only where the scan is claimed', async () => {
    const [ours, others] = [newScanId(), newScanId()];
    const [first, second, living] = await Promise.all([engineOf(ours), engineOf(ours), engineOf(others)]);
    const ended = Promise.all([once(first, 'exit'), once(second, 'exit')]);
    const asked: string[] = [];
    const claims = (scanId: string): Promise<boolean> => {
      asked.push(scanId);
      return Promise.resolve(scanId === ours);
    };
    expect(await endMarked(claims)).toBe(2);
    expect(await ended).toEqual([
      [null, 'SIGKILL'],
      [null, 'SIGKILL'],
    ]);
    expect(asked.filter((scanId) => scanId === ours || scanId === others).toSorted()).toEqual(
      [ours, others].toSorted(),
    );
    expect(living.exitCode ?? living.signalCode).toBeNull();
    expect(await endMarked((scanId) => scanId === ours)).toBe(0);
  });

  it('is told from an attempt that began while the claim was looked up', async () => {
    const scanId = newScanId();
    const dead = await engineOf(scanId);
    const ended = once(dead, 'exit');
    const begun: ChildProcess[] = [];
    const claims = async (asked: string): Promise<boolean> => {
      if (asked === scanId) begun.push(await engineOf(scanId));
      return asked === scanId;
    };
    expect(await endMarked(claims)).toBe(1);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(begun.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([null]);
  });

  it('is ended for one scan without a checkpoint, and never for one whose id only begins alike', async () => {
    const scanId = newScanId();
    const [mine, alike] = await Promise.all([engineOf(scanId), engineOf(`${scanId}x`)]);
    const ended = once(mine, 'exit');
    expect(await endOrphans({ scanId })).toBe(1);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(alike.exitCode ?? alike.signalCode).toBeNull();
  });
});
