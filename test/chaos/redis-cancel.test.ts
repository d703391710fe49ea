import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '../e2e/stdio-client.ts';
import { createRedisInstallation } from './redis-installation.ts';
import { allEnded, journalOf, outsideView, randomFrom, show, stateCounts, TENANT } from './worker-chaos.ts';

const SCANS = 40;
const POOL = `scripted:
  - { instance_id: only, name: Only, max_concurrent_scans: ${SCANS}, folder: $OUTSIDE, label: only }
`;
const SETTINGS = `
storage_reserve_mb: 0
worker: { max_concurrent_scans: ${SCANS / 2} }
`;

describe('a cancel from a process that does not run the scan', () => {
  it('stops each at its scanner', async () => {
    const installation = await createRedisInstallation({ 'scanners.yaml': POOL, 'scanmux.yaml': SETTINGS });
    const { queue, env } = installation;
    const journal = journalOf(installation);
    const random = randomFrom(7);
    const mcp = await connect(installation, { argv: ['--no-worker'], env });
    installation.keepWorkers(2);
    const scanIds: string[] = [];
    for (let n = 0; n < SCANS; n += 1) {
      const call = { scanner_pool: 'scripted', templates: ['duration:600000'], idempotency_key: `cancel-${n}-key` };
      scanIds.push(String((await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'], ...call }))['scan_id']));
    }
    await expect.poll(() => outsideView(installation, {}).starts, { timeout: 60_000 }).toBe(SCANS);
    const waits = await Promise.all(
      scanIds.map(async (scanId) => {
        await delay(random() * 4_000);
        const askedAt = performance.now();
        const stopped = journal.next((line) => line.startsWith(`stop ${scanId}.`));
        expect((await queue.cancel(TENANT, scanId)).effect).toBe('signalled');
        await stopped;
        return performance.now() - askedAt;
      }),
    );
    expect(stateCounts(await allEnded(queue, 30_000))).toEqual({ cancelled: SCANS });
    const sorted = waits.map(Math.round).toSorted((a, b) => a - b);
    show('cancel asked in one process to stop at the scanner in another, ms', {
      scans: SCANS,
      p50: sorted[SCANS / 2 - 1],
      p95: sorted[Math.ceil(SCANS * 0.95) - 1],
      worst: sorted.at(-1),
    });
  }, 120_000);
});
