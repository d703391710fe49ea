import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { describeServerSecretsContract } from '../contracts/server-secrets-contract.ts';
import { newFolder, SETTINGS } from './sqlite-harness.ts';

describeServerSecretsContract('SQLite', async () => {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return async () => {
    const { queue, secrets } = await openSqliteQueue({ folder, clock: systemClock, settings: SETTINGS });
    onTestFinished(() => queue.close());
    return secrets;
  };
});
