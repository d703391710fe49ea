// A process with a watched registry; tells its parent about every change. Plain JavaScript over dist/, because the
// oldest supported Node runs no TypeScript.
import { z } from 'zod';
import { createLog } from '../../dist/platform/log.js';
import { createRegistry } from '../../dist/registry/create-registry.js';

const engine = {
  capabilities: { engine: 'fake', targetKinds: [], authenticated: false, intensities: [], options: [], looksFor: [] },
  settings: z.strictObject({}),
  create: () => ({ probe: async () => ({ status: 'healthy', canLaunch: true }) }),
};
const registry = await createRegistry({
  file: process.argv[2],
  types: { fake: engine },
  defaults: () => [],
  defaultPool: 'fake',
  log: createLog('error'),
  env: {},
  probeIntervalMs: 60_000,
  // On macOS the notices of a young watch may be lost.
  lookIntervalMs: process.platform === 'linux' ? 3_600_000 : 500,
});
const tell = () =>
  process.send({ pools: registry.pools().map(({ name }) => name), broken: registry.status().lastError !== undefined });
const controller = new AbortController();
registry.onChange(tell);
registry.watch(controller.signal);
process.once('message', () => process.disconnect());
tell();
