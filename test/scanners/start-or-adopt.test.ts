import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { Checkpoint } from '../../src/scanners/scanner.ts';
import { startOrAdopt, type RemoteScans } from '../../src/scanners/start-or-adopt.ts';

const MARKER = 'scanmux scan_x';

/** An engine elsewhere: it outlives every worker. */
class Engine implements RemoteScans {
  readonly scans = new Map<string, string>();
  started = 0;

  find(marker: string): Promise<string | undefined> {
    return Promise.resolve([...this.scans].find(([, name]) => name === marker)?.[0]);
  }

  start(marker: string): Promise<string> {
    this.started += 1;
    const reference = `remote-${this.started}`;
    this.scans.set(reference, marker);
    return Promise.resolve(reference);
  }

  remove(reference: string): Promise<void> {
    this.scans.delete(reference);
    return Promise.resolve();
  }
}

/** The worker dies at the step with this number: nothing after it happens. */
const dead = new Error('killed');

/** One attempt whose steps (checkpoint written, scan started) can each be the last; `kept` survives it. */
function attempt(engine: Engine, kept: { checkpoint?: Checkpoint }, diesAt = Infinity): Promise<string> {
  let step = 0;
  const tick = (): void => {
    step += 1;
    if (step > diesAt) throw dead;
  };
  const remote: RemoteScans = {
    find: (marker) => engine.find(marker),
    start: async (marker) => {
      tick();
      const reference = await engine.start(marker);
      tick();
      return reference;
    },
    remove: () => Promise.reject(dead), // a dead worker removes nothing
  };
  const ctx = {
    signal: new AbortController().signal,
    previous: kept.checkpoint,
    checkpoint: async (checkpoint: Checkpoint) => {
      tick();
      kept.checkpoint = checkpoint;
      tick();
    },
  };
  return startOrAdopt(ctx, remote, MARKER);
}

describe('startOrAdopt', () => {
  it('starts once and says which scan it is', async () => {
    const engine = new Engine();
    const kept: { checkpoint?: Checkpoint } = {};
    expect(await attempt(engine, kept)).toBe('remote-1');
    expect(kept.checkpoint).toEqual({ phase: 'launched', reference: 'remote-1' });
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('never starts a second scan when the worker dies after step %i', async (diesAt) => {
    const engine = new Engine();
    const kept: { checkpoint?: Checkpoint } = {};
    await attempt(engine, kept, diesAt).catch(() => undefined);
    expect(await attempt(engine, kept)).toBe('remote-1');
    expect(engine.started).toBe(1);
  });

  it('never starts a second scan when every worker dies one step later than the last', async () => {
    const engine = new Engine();
    const kept: { checkpoint?: Checkpoint } = {};
    for (let diesAt = 0; diesAt < 7; diesAt += 1) await attempt(engine, kept, diesAt).catch(() => undefined);
    expect(await attempt(engine, kept)).toBe('remote-1');
    expect(engine.started).toBe(1);
  });

  it('adopts under the marker the scan was started with, and starts a clean retry under its own', async () => {
    const engine = new Engine();
    await engine.start('scan_x.1');
    const adopting = {
      ...ctxThat(() => Promise.resolve()),
      previous: { phase: 'intent', reference: 'scan_x.1' } as const,
    };
    expect(await startOrAdopt(adopting, engine, 'scan_x.2')).toBe('remote-1');
    expect(
      await startOrAdopt(
        ctxThat(() => Promise.resolve()),
        engine,
        'scan_x.2',
      ),
    ).toBe('remote-2');
  });

  const lost = new AppError('scan_aborted', 'The lease is lost.');
  const ctxThat = (checkpoint: (point: Checkpoint) => Promise<void>, previous?: Checkpoint) => ({
    signal: new AbortController().signal,
    previous,
    checkpoint,
  });

  it('starts nothing when the intent is refused', async () => {
    const engine = new Engine();
    await expect(
      startOrAdopt(
        ctxThat(() => Promise.reject(lost)),
        engine,
        MARKER,
      ),
    ).rejects.toBe(lost);
    expect(engine.started).toBe(0);
  });

  it('removes its own scan when the launch is refused', async () => {
    const engine = new Engine();
    const ctx = ctxThat(({ phase }) => (phase === 'launched' ? Promise.reject(lost) : Promise.resolve()));
    await expect(startOrAdopt(ctx, engine, MARKER)).rejects.toBe(lost);
    expect(engine.scans.size).toBe(0);
  });

  it('leaves an adopted scan alone when the launch is refused: another worker has it', async () => {
    const engine = new Engine();
    await engine.start(MARKER);
    const ctx = ctxThat(() => Promise.reject(lost), { phase: 'intent' });
    await expect(startOrAdopt(ctx, engine, MARKER)).rejects.toBe(lost);
    expect([...engine.scans.keys()]).toEqual(['remote-1']);
  });

  it('names the scan that could not be removed', async () => {
    const engine = new Engine();
    engine.remove = () => Promise.reject(new Error('away'));
    const ctx = ctxThat(({ phase }) => (phase === 'launched' ? Promise.reject(lost) : Promise.resolve()));
    await expect(startOrAdopt(ctx, engine, MARKER)).rejects.toMatchObject({
      hint: expect.stringContaining('remote-1'),
    });
  });

  it.each([
    ['launched', { phase: 'launched', reference: 'remote-1' }],
    ['begun', { phase: 'intent', reference: MARKER }],
  ] as const)('adopts what was %s also after an abort, so that the engine can end it', async (_title, previous) => {
    const engine = new Engine();
    const reference = await engine.start(MARKER);
    const ctx = { ...ctxThat(() => Promise.resolve()), previous, signal: AbortSignal.abort(new Error('stop')) };
    expect(await startOrAdopt(ctx, engine, 'another marker')).toBe(reference);
    expect(engine.started).toBe(1);
  });

  it('starts nothing under an abort when nothing runs yet', async () => {
    const engine = new Engine();
    const ctx = { ...ctxThat(() => Promise.resolve(), { phase: 'intent' }), signal: AbortSignal.abort() };
    await expect(startOrAdopt(ctx, engine, MARKER)).rejects.toThrow('aborted');
    expect(engine.started).toBe(0);
  });

  it('starts nothing after an abort', async () => {
    const engine = new Engine();
    const reason = new Error('cancelled');
    const ctx = { ...ctxThat(() => Promise.resolve()), signal: AbortSignal.abort(reason) };
    await expect(startOrAdopt(ctx, engine, MARKER)).rejects.toBe(reason);
    expect(engine.started).toBe(0);
  });
});
