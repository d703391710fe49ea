import { afterEach, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../../src/scanners/scanner.ts';
import { openLab, stopped, type Attempt, type Lab } from './harness.ts';

const SCAN = 'scan_0123456789abcdefghjk';

let lab: Lab;
afterEach(async () => lab.close());

/**
 * An attempt whose worker dies at its nth checkpoint, before or after that was kept.
 * @returns the checkpoint the queue has then
 */
async function killedAt(nth: number, when: 'before' | 'after'): Promise<Checkpoint | undefined> {
  const kill = new AbortController();
  let kept: Checkpoint | undefined;
  let count = 0;
  const die = (): never => {
    kill.abort(stopped('lease_lost'));
    throw kill.signal.reason;
  };
  await lab.attempt({
    scanId: SCAN,
    signal: kill.signal,
    onCheckpoint: (made) => {
      count += 1;
      if (count === nth && when === 'before') die();
      kept = made;
      if (count === nth) die();
    },
  });
  return kept;
}

function expectOnce({ outcome, error, report }: Attempt): void {
  expect(error).toBeUndefined();
  expect(outcome).toEqual({ whole: true });
  expect(report).toContain('<ReportHost');
  expect(lab.done('POST', '/scans')).toHaveLength(1);
  expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
  expect(lab.foreignWrites()).toEqual([]);
}

describe('a scan whose worker died', () => {
  for (const nth of [1, 2, 3, 4]) {
    for (const when of ['before', 'after'] as const) {
      it(`is adopted by the next one, ${when} checkpoint ${nth} was kept`, async () => {
        lab = await openLab();
        const previous = await killedAt(nth, when);
        const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
        expectOnce(next);
      });
    }
  }

  it('is adopted when it is over already', async () => {
    lab = await openLab();
    const previous = await killedAt(3, 'after');
    lab.sim.control.advance(3_600_000);
    expectOnce(await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another()));
  });

  it('is adopted again and again', async () => {
    lab = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 600_000 }] }] });
    let previous = await killedAt(3, 'after');
    for (let epoch = 2; epoch < 6; epoch += 1) {
      const kill = new AbortController();
      await lab.attempt({
        scanId: SCAN,
        epoch,
        previous,
        signal: kill.signal,
        onCheckpoint: (made) => void (previous = made),
        onProgress: () => kill.abort(stopped('shutdown')),
      });
    }
    expectOnce(await lab.attempt({ scanId: SCAN, epoch: 6, previous }));
  });

  it('keeps to its own run when somebody launches the scan once more', async () => {
    lab = await openLab();
    const previous = await killedAt(4, 'after');
    lab.sim.control.advance(60_000);
    const [scan] = lab.sim.control.scans();
    lab.sim.control.launch(scan?.id ?? 0);
    const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
    expect(next.outcome).toEqual({ whole: true });
    const asked = lab.all('POST', '/scans/{id}/export').map(({ query }) => query['history_id']);
    expect(asked).toEqual([String(scan?.launches[0]?.historyId)]);
  });

  it('is lost when it was deleted meanwhile, and not started again', async () => {
    lab = await openLab();
    const previous = await killedAt(3, 'after');
    lab.sim.control.does('delete', lab.sim.control.scans()[0]?.id ?? 0);
    const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
    expect(next.error).toMatchObject({ code: 'remote_scan_lost' });
    expect(lab.done('POST', '/scans')).toHaveLength(1);
  });

  it('is aborted by a restart of Nessus meanwhile: what it found is kept', async () => {
    lab = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 60_000 }] }] });
    const previous = await killedAt(4, 'after');
    lab.sim.control.advance(20_000);
    lab.sim.control.restart(5_000);
    const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
    expect(next.outcome).toMatchObject({ whole: false });
    expect(next.report).toContain('<ReportHost');
    expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
  });

  it('is not confused with a scan that has its number on a server that was set up anew', async () => {
    lab = await openLab({ scans: [{ name: 'payroll', status: 'running' }] });
    const id = String(lab.sim.control.scans()[0]?.id);
    const reference = JSON.stringify({ id, marker: `scanmux ${SCAN}.1` });
    const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous: { phase: 'launched', reference } });
    expect(next.error).toMatchObject({ code: 'remote_scan_lost' });
    expect(lab.foreignWrites()).toEqual([]);
  });

  it('is not read from somebody else, even when a run of it is known', async () => {
    lab = await openLab({ scans: [{ name: 'payroll', status: 'completed' }] });
    const id = String(lab.sim.control.scans()[0]?.id);
    const reference = JSON.stringify({ id, marker: `scanmux ${SCAN}.1`, scan_uuid: 'of-another-time' });
    const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous: { phase: 'launched', reference } });
    expect(next.error).toMatchObject({ code: 'remote_scan_lost' });
    expect(next.report).toBe('');
    expect(lab.all('POST', '/scans/{id}/export')).toEqual([]);
  });

  it('goes on at the scanner when its worker is asked to go', async () => {
    lab = await openLab();
    const stop = new AbortController();
    const reason = stopped('shutdown');
    const first = await lab.attempt({ scanId: SCAN, signal: stop.signal, onProgress: () => stop.abort(reason) });
    expect(first.error).toBe(reason);
    expect(lab.all('POST', '/scans/{id}/stop')).toEqual([]);
    expectOnce(await lab.attempt({ scanId: SCAN, epoch: 2, previous: lab.checkpoints.at(-1) }, lab.another()));
  });

  it('leaves alone the scan of whoever took over while it froze', async () => {
    lab = await openLab();
    const kill = new AbortController();
    let second: Promise<Attempt> | undefined;
    const first = await lab.attempt({
      scanId: SCAN,
      signal: kill.signal,
      onCheckpoint: ({ phase }) => {
        if (phase !== 'launched') return;
        // The claim has passed on while the scan was being made; this worker hears of it only now.
        const previous: Checkpoint = { phase: 'intent', reference: `scanmux ${SCAN}.1` };
        second ??= lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
        throw stopped('lease_lost');
      },
    });
    expect(first.error).toBeDefined();
    const next = await second;
    if (!next) throw new Error('nobody took over');
    expectOnce(next);
  });
});

describe('a scanner that is away when a scan is taken over', () => {
  for (const nth of [1, 2, 3]) {
    it(`is waited for, and nothing is started twice (killed after checkpoint ${nth})`, async () => {
      lab = await openLab();
      const previous = await killedAt(nth, 'after');
      const isMade = lab.sim.control.scans().length;
      lab.sim.control.restart(20 * 60_000);
      const next = await lab.attempt({ scanId: SCAN, epoch: 2, previous }, lab.another());
      // What had been launched was aborted by the restart, before it had found anything.
      expect(next.error).toEqual(nth === 3 ? expect.objectContaining({ code: 'scan_aborted' }) : undefined);
      expect(lab.done('POST', '/scans')).toHaveLength(1);
      expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
      expect(isMade).toBeLessThanOrEqual(1);
    });
  }
});
