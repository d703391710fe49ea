import { describe, expect, it } from 'vitest';
import { createLifeSign, givenUp } from '../../src/worker/give-up.ts';
import { systemClock } from '../../src/platform/clock.ts';

const aborted = AbortSignal.abort();

describe('an engine that was told to stop', () => {
  it('is given up on when it shows no sign of life', async () => {
    const { error } = await givenUp(aborted, 20, createLifeSign(systemClock), new AbortController().signal);
    expect(error).toMatchObject({ code: 'scan_aborted' });
  });

  it('is waited for while it says that it is at work', async () => {
    const alive = createLifeSign(systemClock);
    let signs = 0;
    const beat = setInterval(() => {
      signs += 1;
      alive.note();
      if (signs === 12) clearInterval(beat);
    }, 10);
    await givenUp(aborted, 60, alive, new AbortController().signal);
    expect(signs).toBe(12);
  });

  it('is given up on in the end all the same', async () => {
    let now = 0;
    const alive = { note: () => undefined, silentMs: () => 0 };
    await givenUp(aborted, 1, alive, new AbortController().signal).then(() => (now = 1));
    expect(now).toBe(1);
  });
});
