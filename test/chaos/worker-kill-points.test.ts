import { describe, expect, it } from 'vitest';
import { createInstallation } from '../e2e/stdio-client.ts';
import { good, killAt, POINTS, POOL } from './kill-points.ts';
import { keepWorker, queueOf, show } from './worker-chaos.ts';

async function openLab() {
  const installation = createInstallation({ 'scanners.yaml': POOL });
  return { installation, queue: await queueOf(installation), keepWorker: () => keepWorker(installation) };
}

describe('a worker that is killed at one point of every scan', () => {
  it.each([{ points: POINTS.slice(0, 3) }, { points: POINTS.slice(3, 5) }, { points: POINTS.slice(5) }])(
    'leaves scans that the next one completes without a second start: $points',
    async ({ points }) => {
      const seen = await Promise.all(points.map(async (point) => await killAt(point, await openLab())));
      for (const { point, ...figures } of seen) show(`kills ${point}`, figures);
      expect(seen).toEqual(points.map(good));
    },
    120_000,
  );
});
