import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { describeOperationsContract } from '../contracts/operations-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

describeOperationsContract('the SQLite queue', async () => {
  const folder = newFolder();
  const clock = fakeClock();
  const dead = new Set<string>();
  const open: ScanQueue[] = [];
  return {
    async open() {
      const isAlive = (owner: string): boolean => !dead.has(owner);
      const opened = await openSqliteQueue({ folder, clock, settings: SETTINGS, isAlive });
      open.push(opened.queue);
      return opened;
    },
    advance: (ms) => clock.advance(ms),
    async passTime() {
      clock.advance(3_000);
      return 3_000;
    },
    setBack: (ms) => clock.setBack(ms),
    kill: (workerId) => void dead.add(workerId),
    now: () => clock.now(),
    async writeState(scanId, state) {
      const db = openDatabase(join(folder, 'queue.db'));
      db.writeNow(() => db.prepare('UPDATE scans SET state = ? WHERE scan_id = ?').run(state, scanId));
      db.close();
    },
    async close() {
      for (const queue of open) await queue.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
