import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBell, type Bell } from '../../src/platform/bell.ts';
import { startPeer } from './peer.ts';

let folder: string;
let bell: Bell;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scanmux-bell-'));
  bell = createBell(folder, 'jobs');
});

afterEach(() => {
  bell.close();
  rmSync(folder, { recursive: true, force: true });
});

const firstRing = (): Promise<void> =>
  new Promise((resolve) => {
    const stop = bell.listen(() => {
      stop();
      resolve();
    });
  });

describe('a bell', () => {
  it('is heard from another process', async () => {
    const peer = await startPeer('bell-peer');
    await peer.ask({ action: 'open', folder });
    const heard = firstRing();
    await peer.ask({ action: 'ring' });
    await heard;
  });

  it('is heard in another process', async () => {
    const peer = await startPeer('bell-peer');
    await peer.ask({ action: 'open', folder });
    await peer.ask({ action: 'listen' });
    const heard = peer.next();
    bell.ring();
    expect(await heard).toBe('heard');
  });

  it('may stay unheard on a full disk, but never fails what rang it', () => {
    expect(bell.ring()).toBe(true);
    symlinkSync('/dev/full', join(folder, 'bells', 'full'));
    const stuck = createBell(folder, 'full');
    expect(stuck.ring()).toBe(false);
    stuck.close();
  });

  it('is heard by its own process and by every listener', async () => {
    const both = Promise.all([firstRing(), firstRing()]);
    bell.ring();
    await both;
  });

  it('can be listened to again after the last listener left', async () => {
    const first = firstRing();
    bell.ring();
    await first;
    const second = firstRing();
    bell.ring();
    await second;
  });

  it('leaves a file that only its owner can read and that never grows', () => {
    for (let i = 0; i < 100; i += 1) bell.ring();
    const { size, mode } = statSync(join(folder, 'bells', 'jobs'));
    expect(size).toBe(1);
    expect(mode & 0o777).toBe(0o600);
  });

  it('is silent once closed, and closing it twice or ringing it then is no error', () => {
    const other = createBell(folder, 'events');
    other.close();
    expect(() => other.ring()).not.toThrow();
    expect(() => other.close()).not.toThrow();
  });
});
