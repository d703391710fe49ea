import { describe } from 'vitest';
import { describeQueueContract } from '../contracts/queue-contract.ts';
import { sqliteHarness } from './sqlite-harness.ts';

describe.each([{ name: 'SQLite', create: () => sqliteHarness() }])('$name', ({ name, create }) => {
  describeQueueContract(name, create);
});
