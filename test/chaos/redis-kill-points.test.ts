import { describe, expect, it } from 'vitest';
import { good, killAt, POINTS, POOL } from './kill-points.ts';
import { createRedisInstallation } from './redis-installation.ts';
import { keepWorker, show } from './worker-chaos.ts';

const SETTINGS = `
storage_reserve_mb: 0
retry: { base_seconds: 0.02, max_seconds: 0.05 }
`;

async function openLab() {
  const installation = await createRedisInstallation({ 'scanners.yaml': POOL, 'scanmux.yaml': SETTINGS });
  const { queue, env } = installation;
  return { installation, queue, env, keepWorker: () => keepWorker(installation, undefined, env) };
}

describe('a worker of a queue in Redis that is killed at one point of every scan', () => {
  it.each([{ points: POINTS.slice(0, 3) }, { points: POINTS.slice(3, 5) }, { points: POINTS.slice(5) }])(
    'leaves scans that the next one completes without a second start: $points',
    async ({ points }) => {
      const seen = await Promise.all(points.map(async (point) => await killAt(point, await openLab())));
      for (const { point, ...figures } of seen) show(`kills on Redis ${point}`, figures);
      expect(seen).toEqual(points.map(good));
    },
    240_000,
  );
});
