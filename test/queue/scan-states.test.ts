import { readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { ScanState, TRANSITIONS } from '../../src/model/scan.ts';
import { createQueueOn } from '../../src/queue/sqlite/queue.ts';
import { openStore } from '../../src/queue/sqlite/store.ts';
import { move, reread } from '../../src/queue/sqlite/transition.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

const page = readFileSync(new URL('../../docs/scan-states.md', import.meta.url), 'utf8');
const rule = ScanState.options.flatMap((from) => TRANSITIONS[from].map((to) => `${from} ${to}`)).toSorted();

describe('docs/scan-states.md', () => {
  it.each([
    ['diagram', /^ {4}(\w+) --> (\w+):/gm],
    ['table', /^\| `(\w+)` +\| `(\w+)` +\|/gm],
  ])('lists exactly the transitions of the state machine in its %s', (_, line) => {
    expect([...page.matchAll(line)].map(([, from, to]) => `${from} ${to}`).toSorted()).toEqual(rule);
  });
});

describe('the state machine', () => {
  const folder = newFolder();
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('refuses every move that is not listed, and changes nothing', async () => {
    const store = await openStore({ folder, clock: fakeClock(), settings: SETTINGS });
    const queue = createQueueOn(store);
    const { scan } = await queue.submit(newScan());
    for (const from of ScanState.options) {
      store.db.prepare('UPDATE scans SET state = ?').run(from);
      for (const to of ScanState.options.filter((state) => !TRANSITIONS[from].includes(state))) {
        await expect(store.write(() => move(store, reread(store, 1), to))).rejects.toMatchObject({
          code: 'internal_error',
        });
        expect((await queue.get('local', scan.scanId))?.state).toBe(from);
      }
    }
    expect(await queue.events('local', scan.scanId, 0)).toHaveLength(1);
    await queue.close();
  });
});
