import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Log } from '../../src/platform/log.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createRegistry, type RegistryDeps } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { fakeEngine, plainEngine, type FakeEngine } from './fake-engine.ts';

/** On Linux only the system's notices count, so that they are tested; on macOS those of a young watch may be lost. */
const LOOK_INTERVAL_MS = process.platform === 'linux' ? 3_600_000 : 500;

/** A clock that goes on when it is told to. */
export interface FakeClock {
  now(): number;
  monotonic(): number;
  pass(ms: number): void;
}

export function fakeClock(): FakeClock {
  let time = 1_000_000;
  return { now: () => time, monotonic: () => time, pass: (ms) => void (time += ms) };
}

export interface Started {
  readonly registry: Registry;
  readonly file: string;
  readonly engine: FakeEngine;
  readonly clock: FakeClock;
  /** Messages of what was logged as error. */
  readonly errors: readonly object[];
  /** In place, as some editors do. */
  readonly write: (text: string) => void;
  /** By a new file that takes its place, as other editors do. */
  readonly replace: (text: string) => void;
  /** Resolves at the next change for which `done` holds, or now if it does. */
  readonly changed: (done: () => boolean) => Promise<void>;
}

/** A registry on a file of its own, with engines `fake` and `baseline`. No text: no file. */
export async function startRegistry(text?: string, more: Partial<RegistryDeps> = {}): Promise<Started> {
  const file = join(temporaryFolder(), 'scanners.yaml');
  const write = (content: string): void => writeFileSync(file, content);
  if (text !== undefined) write(text);
  const engine = fakeEngine('fake');
  const clock = fakeClock();
  const errors: object[] = [];
  const log: Log = { ...silentLog, error: (facts) => void errors.push(facts) };
  const registry = await createRegistry({
    file,
    types: { fake: engine, baseline: plainEngine('baseline') },
    defaults: () => [{ name: 'baseline', instances: [{ instance_id: 'local', max_concurrent_scans: 4 }] }],
    defaultPool: 'baseline',
    log,
    env: { TOKEN: 'hunter2' },
    probeIntervalMs: 60_000,
    clock,
    random: () => 0,
    lookIntervalMs: LOOK_INTERVAL_MS,
    ...more,
  });
  return {
    registry,
    file,
    engine,
    clock,
    errors,
    write,
    replace(content) {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    },
    changed: (done) =>
      new Promise((resolve) => {
        const stop = registry.onChange(() => {
          if (!done()) return;
          stop();
          resolve();
        });
        if (!done()) return;
        stop();
        resolve();
      }),
  };
}

/** Watches until the test is over. */
export function watching(registry: Registry): AbortController {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  registry.watch(controller.signal);
  return controller;
}

/** A pool `fake` with instances of these ids, each at `https://<id>`. */
export const fakePool = (...ids: string[]): string =>
  ['fake:', ...ids.map((id) => `  - {instance_id: ${id}, url: "https://${id}", max_concurrent_scans: 3}`), ''].join(
    '\n',
  );

/** A signal nobody aborts. */
export const never = (): AbortSignal => new AbortController().signal;
