import { rmSync } from 'node:fs';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { describeScanIndexContract } from '../contracts/scan-index-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

describeScanIndexContract('the SQLite index', async () => {
  const folder = newFolder();
  const clock = fakeClock();
  const open: ScanQueue[] = [];
  return {
    async open() {
      const { queue, index } = await openSqliteQueue({ folder, clock, settings: SETTINGS, isAlive: () => true });
      open.push(queue);
      return { queue, index };
    },
    advance: (ms) => clock.advance(ms),
    async close() {
      for (const queue of open) await queue.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
