import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScenarioInput } from '../../../src/simulators/nessus/scenario.ts';
import { createManualClock, type ManualClock } from '../../../src/simulators/nessus/clock.ts';
import { launchedRun } from '../../../src/simulators/nessus/run.ts';
import { openStateFile, readStateFile } from '../../../src/simulators/nessus/state-file.ts';
import { NOTHING, State, type Scan } from '../../../src/simulators/nessus/state.ts';
import { parseScenario } from '../../../src/simulators/nessus/scenario.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function launched(clock: ManualClock, file: string, runs: ScenarioInput['runs']): State {
  const state = new State(clock, NOTHING, openStateFile(file));
  const [script] = parseScenario({ runs }).runs;
  if (!script) throw new Error('no script');
  const scan: Scan = {
    id: 7,
    uuid: 'template-7',
    name: 'a',
    description: '',
    owner: 'scanner',
    origin: 'api',
    permissions: 128,
    folderId: 1,
    templateUuid: 't',
    targets: '10.0.0.1',
    credentials: [],
    createdAt: START,
    modifiedAt: START,
    isRead: false,
    imported: undefined,
    runs: [launchedRun({ historyId: 8, uuid: 'run-8', targets: ['10.0.0.1'], script }, START)],
  };
  state.put(scan);
  return state;
}

/** The state of a process that starts an hour after the file was last written. */
function restarted(file: string): Scan | undefined {
  const before = readStateFile(file);
  if (!before) throw new Error('no state file');
  const state = new State(createManualClock(before.now + HOUR), before.kept, openStateFile(file));
  state.abortAll(before.now);
  return state.scan(7);
}

describe('the time while the simulator was down', () => {
  it('is no scanning: what ran is aborted when it was last alive, and its script went no further', () => {
    const clock = createManualClock(START);
    const file = join(folder, 'state');
    const state = launched(clock, file, [{ walk: [{ status: 'running', for_ms: 60_000 }] }]);
    clock.advance(20_000);
    state.noteAlive();
    expect(restarted(file)).toMatchObject({
      modifiedAt: START + 20_000,
      runs: [{ end: { status: 'aborted', at: START + 20_000 }, activeMs: 20_000 }],
    });
  });

  it('changes nothing about what had ended before, and nobody did anything meanwhile', () => {
    const clock = createManualClock(START);
    const file = join(folder, 'state');
    const state = launched(clock, file, [
      { walk: [{ status: 'running', for_ms: 10_000 }], someone: [{ after_ms: 30_000, does: 'delete' }] },
    ]);
    clock.advance(20_000);
    state.noteAlive();
    expect(restarted(file)).toMatchObject({ runs: [{ end: { status: 'completed', at: START + 10_000 } }] });
  });

  it('is not noted while nothing runs, so the file does not grow', () => {
    const clock = createManualClock(START);
    const file = join(folder, 'state');
    const state = new State(clock, NOTHING, openStateFile(file));
    state.noteAlive();
    expect(readStateFile(file)).toBeUndefined();
  });
});
