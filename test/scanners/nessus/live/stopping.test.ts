import { afterEach, describe, expect, it } from 'vitest';
import { openLab, stopped, type AttemptOptions, type Lab } from './harness.ts';

const SCAN = 'scan_0123456789abcdefghjk';
const LONG = {
  runs: [
    {
      walk: [
        { status: 'pending', for_ms: 2_000 },
        { status: 'running', for_ms: 3_600_000 },
      ],
    },
  ],
};

let lab: Lab;
afterEach(async () => lab.close());

const ending = (why: string): { options: AttemptOptions; reason: Error; stop: AbortController } => {
  const stop = new AbortController();
  return { options: { scanId: SCAN, signal: stop.signal }, reason: stopped(why), stop };
};

describe('a scan that is to end', () => {
  for (const why of ['cancelled', 'timed_out', 'denied']) {
    it(`is stopped at the scanner, waited for and kept as far as it came: ${why}`, async () => {
      lab = await openLab(LONG);
      const { options, reason, stop } = ending(why);
      const attempt = await lab.attempt({
        ...options,
        onProgress: ({ percent }) => {
          if (percent >= 5) stop.abort(reason);
        },
      });
      expect(attempt.error).toBe(reason);
      expect(lab.done('POST', '/scans/{id}/stop')).toHaveLength(1);
      expect(lab.sim.control.scans()[0]?.status).toBe('canceled');
      expect(attempt.report).toContain('<ReportHost');
    });
  }

  it('is stopped before it runs', async () => {
    lab = await openLab(LONG);
    const { options, reason, stop } = ending('cancelled');
    const attempt = await lab.attempt({ ...options, onProgress: () => stop.abort(reason) });
    expect(attempt.error).toBe(reason);
    expect(lab.sim.control.scans()[0]?.status).toBe('canceled');
  });

  it('is removed when it was made and not launched', async () => {
    lab = await openLab(LONG);
    const { options, reason, stop } = ending('cancelled');
    const attempt = await lab.attempt({
      ...options,
      onCheckpoint: ({ phase }) => {
        if (phase === 'launched') stop.abort(reason);
      },
    });
    expect(attempt.error).toBe(reason);
    expect(lab.sim.control.scans()).toEqual([]);
    expect(lab.all('POST', '/scans/{id}/launch')).toEqual([]);
  });

  it('starts nothing when it has to end before it begins', async () => {
    lab = await openLab();
    const reason = stopped('cancelled');
    const attempt = await lab.attempt({ signal: AbortSignal.abort(reason) });
    expect(attempt.error).toBe(reason);
    expect(lab.sim.journal.entries()).toEqual([]);
  });

  it('is stopped by the next worker when its own has died', async () => {
    lab = await openLab(LONG);
    const first = ending('lease_lost');
    await lab.attempt({ ...first.options, onProgress: () => first.stop.abort(first.reason) });
    const reason = stopped('cancelled');
    const next = await lab.attempt(
      { scanId: SCAN, epoch: 2, previous: lab.checkpoints.at(-1), signal: AbortSignal.abort(reason), targets: [] },
      lab.another(),
    );
    expect(next.error).toBe(reason);
    expect(lab.sim.control.scans()[0]?.status).toBe('canceled');
    expect(lab.done('POST', '/scans')).toHaveLength(1);
  });

  it('is not started by the next worker when its own died before it made it', async () => {
    lab = await openLab();
    const reason = stopped('cancelled');
    const previous = { phase: 'intent', reference: `scanmux ${SCAN}.1` } as const;
    const next = await lab.attempt({
      scanId: SCAN,
      epoch: 2,
      previous,
      signal: AbortSignal.abort(reason),
      targets: [],
    });
    expect(next.error).toBe(reason);
    expect(lab.sim.control.scans()).toEqual([]);
  });

  it('is asked to stop again when the scanner was between two states', async () => {
    lab = await openLab({
      ...LONG,
      faults: [{ on: 'POST /scans/{id}/stop', nth: 1, times: 2, do: 'status', code: 409 }],
    });
    const { options, reason, stop } = ending('cancelled');
    const attempt = await lab.attempt({ ...options, onProgress: () => stop.abort(reason) });
    expect(attempt.error).toBe(reason);
    expect(lab.sim.control.scans()[0]?.status).toBe('canceled');
    expect(lab.all('POST', '/scans/{id}/stop')).toHaveLength(3);
  });

  it('is asked to stop again when the scanner takes no more requests just then', async () => {
    const fault = { on: 'POST /scans/{id}/stop', nth: 1, do: 'status', code: 429, retry_after: 300 } as const;
    lab = await openLab({ ...LONG, faults: [fault] });
    const { options, reason, stop } = ending('cancelled');
    const attempt = await lab.attempt({ ...options, onProgress: ({ percent }) => percent > 2 && stop.abort(reason) });
    expect(attempt.error).toBe(reason);
    expect(lab.sim.control.scans()[0]?.status).toBe('canceled');
  });

  it('says all the time that it is at work, and gives up in the end', async () => {
    lab = await openLab(
      { ...LONG, faults: [{ on: 'POST /scans/{id}/stop', do: 'status', code: 409 }] },
      { stop_minutes: 2 },
    );
    const { options, reason, stop } = ending('cancelled');
    const attempt = await lab.attempt({ ...options, onProgress: () => stop.abort(reason) });
    expect(attempt.error).toBe(reason);
    const stopping = attempt.progress.filter(({ phase }) => phase === 'stopping at the scanner');
    expect(stopping.length).toBeGreaterThan(20);
    expect(lab.all('POST', '/scans/{id}/stop').length).toBeLessThan(12);
  });

  for (const [on, before] of [
    ['POST /scans', 'GET /folders'],
    ['POST /scans/{id}/launch', 'POST /scans'],
  ] as const) {
    it(`is known also when the abort falls into ${on}: nothing is left running`, async () => {
      lab = await openLab({ ...LONG, faults: [{ on, nth: 1, do: 'delay', ms: 300 }] });
      const { options, reason, stop } = ending('cancelled');
      const attempt = lab.attempt(options);
      const [method = '', route = ''] = before.split(' ');
      const isUnderWay = () => lab.all(method, route).length === 1 && lab.sim.control.inFlight() === 1;
      await expect.poll(isUnderWay, { interval: 1, timeout: 20_000 }).toBe(true);
      stop.abort(reason);
      expect((await attempt).error).toBe(reason);
      expect(lab.sim.control.scans().map(({ status }) => status)).toEqual(on === 'POST /scans' ? [] : ['canceled']);
    });
  }

  it('is left alone when its number belongs to somebody else by now', async () => {
    lab = await openLab({ scans: [{ name: 'payroll', status: 'running' }] });
    const reference = JSON.stringify({ id: String(lab.sim.control.scans()[0]?.id), marker: `scanmux ${SCAN}.1` });
    const reason = stopped('cancelled');
    const previous = { phase: 'launched', reference } as const;
    const next = await lab.attempt({
      scanId: SCAN,
      epoch: 2,
      previous,
      signal: AbortSignal.abort(reason),
      targets: [],
    });
    expect(next.error).toBe(reason);
    expect(lab.foreignWrites()).toEqual([]);
    expect(lab.sim.control.scans()[0]?.status).toBe('running');
  });
});
