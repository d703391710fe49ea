import { expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { Log } from '../../src/platform/log.ts';
import { createOutageLog } from '../../src/worker/outage-log.ts';
import { fakeClock } from '../queue/sqlite-harness.ts';

function noted() {
  const lines: { level: string; facts: object; message: string }[] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push({ level, facts, message });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, shown: () => lines.filter(({ level }) => level !== 'debug'), lines };
}

it('tells an outage once, however many meet it, without a stack, and once that it is over', () => {
  const { log, shown, lines } = noted();
  const clock = fakeClock();
  const outage = createOutageLog(log, clock);
  const away = { err: new AppError('queue_unavailable', 'no answer') };
  outage.answered();
  for (let beat = 0; beat < 50; beat += 1) {
    outage.log.warn(away, 'heartbeat failed');
    outage.log.child({ scan_id: 's' }).warn(away, 'lease could not be renewed');
  }
  clock.advance(12_000);
  outage.answered();
  outage.answered();
  expect(shown()).toEqual([
    {
      level: 'warn',
      facts: { code: 'queue_unavailable', why: 'no answer' },
      message: expect.stringContaining('does not answer'),
    },
    { level: 'info', facts: { away_seconds: 12 }, message: 'the queue answers again' },
  ]);
  expect(lines.some(({ facts }) => 'err' in facts && facts.err !== undefined)).toBe(false);
  outage.log.warn(away, 'heartbeat failed');
  expect(shown()).toHaveLength(3);
});

it('leaves everything else as it is', () => {
  const { log, shown } = noted();
  const outage = createOutageLog(log, fakeClock());
  const full = { err: new AppError('storage_full', 'full') };
  outage.log.warn(full, 'a');
  outage.log.error({ err: new AppError('queue_unavailable', 'gone') }, 'outcome could not be written');
  expect(shown().map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'a'],
    ['error', 'outcome could not be written'],
  ]);
});

it('tells the same trouble of the disk once a minute, whoever meets it, and every other at once', () => {
  const { log, shown } = noted();
  const clock = fakeClock();
  const outage = createOutageLog(log, clock);
  const full = { err: new AppError('storage_full', 'full') };
  for (let beat = 0; beat < 90; beat += 1) {
    outage.log.warn(full, 'heartbeat failed');
    outage.log.child({ scan_id: 's' }).warn(full, 'heartbeat failed');
    clock.advance(1_000);
  }
  outage.log.warn({ err: new AppError('storage_unusable', 'queue.db is damaged') }, 'heartbeat failed');
  outage.log.warn({ err: new AppError('scan_aborted', 'boom') }, 'attempt failed');
  outage.log.warn({ err: new AppError('scan_aborted', 'boom') }, 'attempt failed');
  expect(shown().map(({ message }) => message)).toEqual([
    'heartbeat failed',
    'heartbeat failed',
    'heartbeat failed',
    'attempt failed',
    'attempt failed',
  ]);
});
