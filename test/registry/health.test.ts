import { describe, expect, it } from 'vitest';
import type { ScannerHealth } from '../../src/model/capability.ts';
import { AppError } from '../../src/model/errors.ts';
import { HEALTHY } from './fake-engine.ts';
import { fakePool, never, startRegistry } from './start-registry.ts';

const ids = (slots: readonly { instance: string }[]): string[] => slots.map(({ instance }) => instance);
const AWAY: ScannerHealth = { status: 'unhealthy', canLaunch: false, why: 'connection refused' };

/** A probe that answers when it is told to. */
function heldProbe() {
  const answers: (() => void)[] = [];
  const probe = (): Promise<ScannerHealth> => new Promise((resolve) => answers.push(() => resolve(HEALTHY)));
  return {
    probe,
    waiting: () => answers.length,
    answer: () => {
      for (const resolve of answers.splice(0)) resolve();
    },
  };
}

describe('health', () => {
  it('makes an instance available only after it was probed', async () => {
    const { registry } = await startRegistry(fakePool('a', 'b'));
    expect(registry.available()).toEqual([]);
    await registry.probeAll(never());
    expect(registry.available()).toEqual([
      { pool: 'fake', instance: 'a', limit: 3 },
      { pool: 'fake', instance: 'b', limit: 3 },
    ]);
  });

  it('leaves out instances that are disabled, unhealthy, or cannot start scans; degraded ones stay', async () => {
    const { registry, engine } = await startRegistry(
      `${fakePool('up', 'away', 'essentials', 'slow')}  - {instance_id: off, url: "https://off", enabled: false}\n`,
    );
    engine.onProbe('https://away', () => Promise.resolve(AWAY));
    engine.onProbe('https://essentials', () =>
      Promise.resolve({ status: 'healthy', canLaunch: false, why: 'edition' }),
    );
    engine.onProbe('https://slow', () => Promise.resolve({ status: 'degraded', canLaunch: true, why: 'slow' }));
    await registry.probeAll(never());
    expect(ids(registry.available())).toEqual(['up', 'slow']);
    expect(engine.probed).not.toContain('https://off');
    const off = await registry.health(registry.instance('fake', 'off'), never());
    expect(off).toEqual({
      status: 'unhealthy',
      canLaunch: false,
      why: 'Disabled in scanners.yaml.',
      circuit: 'closed',
    });
  });

  it('is asked again after its time, by whoever looks for slots, and told to listeners when it changes', async () => {
    const reported: string[] = [];
    const { registry, engine, clock, changed } = await startRegistry(fakePool('a'), {
      onHealth: (pool, instance, { status }) => void reported.push(`${pool}/${instance} ${status}`),
    });
    await registry.probeAll(never());
    engine.onProbe('https://a', () => Promise.resolve(AWAY));
    clock.pass(59_999);
    expect(ids(registry.available())).toEqual(['a']);
    expect(engine.probed).toHaveLength(1);
    clock.pass(1);
    expect(ids(registry.available())).toEqual(['a']);
    await changed(() => registry.available().length === 0);
    expect(reported).toEqual(['fake/a healthy', 'fake/a unhealthy']);
    expect(engine.probed).toHaveLength(2);
  });

  it('is given from memory while it is fresh', async () => {
    const { registry, engine, clock } = await startRegistry(fakePool('a'));
    const instance = registry.instance('fake', 'a');
    expect(await registry.health(instance, never())).toEqual({ ...HEALTHY, circuit: 'closed' });
    await registry.health(instance, never());
    expect(engine.probed).toHaveLength(1);
    clock.pass(60_000);
    await registry.health(instance, never());
    expect(engine.probed).toHaveLength(2);
  });

  it('is probed once at a time, however many ask; one who gives up does not end it for the others', async () => {
    const { registry, engine } = await startRegistry(fakePool('a'));
    const held = heldProbe();
    engine.onProbe('https://a', held.probe);
    const instance = registry.instance('fake', 'a');
    const impatient = new AbortController();
    const first = registry.health(instance, impatient.signal);
    const second = registry.health(instance, never());
    const third = registry.probeAll(never());
    const gaveUp = expect(first).rejects.toThrow('enough');
    impatient.abort(new Error('enough'));
    await gaveUp;
    held.answer();
    expect(await second).toMatchObject({ status: 'healthy' });
    await third;
    expect(engine.probed).toHaveLength(1);
  });

  it('is probed for at most eight instances at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `i${index}`);
    const { registry, engine } = await startRegistry(fakePool(...names));
    const held = heldProbe();
    for (const name of names) engine.onProbe(`https://${name}`, held.probe);
    const all = registry.probeAll(never());
    const batches: number[] = [];
    for (let batch = 0; batch < 3; batch += 1) {
      batches.push(held.waiting());
      held.answer();
      await new Promise(setImmediate);
    }
    await all;
    expect(batches).toEqual([8, 8, 4]);
  });

  it('is unhealthy when the scanner does not answer in time, even if it ignores its signal', async () => {
    const { registry, engine } = await startRegistry(fakePool('deaf', 'polite'), { probeTimeLimitMs: 20 });
    engine.onProbe('https://deaf', () => new Promise(() => {}));
    engine.onProbe(
      'https://polite',
      (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await registry.probeAll(never());
    for (const id of ['deaf', 'polite']) {
      const health = await registry.health(registry.instance('fake', id), never());
      expect(health).toMatchObject({ status: 'unhealthy', canLaunch: false, why: 'It did not answer within 0.02 s.' });
    }
  });

  it('is unhealthy when the probe fails, without words of unknown errors', async () => {
    const { registry, engine } = await startRegistry(fakePool('ours', 'bug'));
    engine.onProbe('https://ours', () => Promise.reject(new AppError('scanner_login_failed', 'Login was refused.')));
    engine.onProbe('https://bug', () => {
      throw new TypeError('password hunter2 is no number');
    });
    const why = async (id: string) => (await registry.health(registry.instance('fake', id), never())).why;
    expect(await why('ours')).toBe('Login was refused.');
    expect(await why('bug')).toBe('The probe failed; see the log.');
  });

  it('goes on when a listener fails', async () => {
    const { registry, errors } = await startRegistry(fakePool('a'), {
      onHealth: () => {
        throw new Error('listener');
      },
    });
    await registry.probeAll(never());
    expect(ids(registry.available())).toEqual(['a']);
    expect(errors).toHaveLength(1);
  });
});

describe('the circuit of an instance', () => {
  it('takes it out after three failures, gives it one scan after a while, and all of them after a success', async () => {
    const { registry, clock, changed } = await startRegistry(fakePool('a', 'b'));
    await registry.probeAll(never());
    const opened = changed(() => ids(registry.available()).join() === 'b');
    for (let failure = 0; failure < 3; failure += 1) registry.reportOutcome('fake', 'a', false);
    await opened;
    expect((await registry.health(registry.instance('fake', 'a'), never())).circuit).toBe('open');
    clock.pass(30_000);
    expect(registry.available()).toContainEqual({ pool: 'fake', instance: 'a', limit: 1 });
    registry.reportOutcome('fake', 'a', true);
    expect(registry.available()).toContainEqual({ pool: 'fake', instance: 'a', limit: 3 });
  });

  it('does not close because a probe is well: the scans are what fails', async () => {
    const { registry } = await startRegistry(fakePool('a'));
    for (let failure = 0; failure < 3; failure += 1) registry.reportOutcome('fake', 'a', false);
    await registry.probeAll(never());
    expect(registry.available()).toEqual([]);
  });

  it('does not mind outcomes of instances that are gone', async () => {
    const { registry } = await startRegistry(fakePool('a'));
    expect(() => registry.reportOutcome('fake', 'gone', false)).not.toThrow();
  });
});
