import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import type { Instance } from '../../src/registry/registry.ts';
import { loginEngine } from '../tools/login-engine.ts';
import { keepUp } from '../../src/worker/upkeep.ts';
import { runWorker } from '../../src/worker/worker.ts';
import { startParts, testsAll } from './start-worker.ts';

const instance = (instanceId: string, enabled: boolean, upkeep: () => Promise<void>): Instance => ({
  pool: 'nessus',
  instanceId,
  name: instanceId,
  enabled,
  limit: 1,
  scanner: { ...loginEngine().type.create({ label: '' }), upkeep },
});

describe('the upkeep of scanners', () => {
  it('is of every enabled instance, whatever becomes of the others', async () => {
    const good = vi.fn(() => Promise.resolve());
    const off = vi.fn(() => Promise.resolve());
    const instances = [
      instance('bad', true, () => Promise.reject(new TypeError('a defect'))),
      instance('good', true, good),
      instance('off', false, off),
    ];
    const { capabilities } = loginEngine().type;
    const registry = { pools: () => [{ name: 'nessus', capabilities, instances }] };
    await keepUp({ registry, log: silentLog });
    expect(good).toHaveBeenCalledTimes(1);
    expect(off).not.toHaveBeenCalled();
  });

  it('begins with the worker', async () => {
    const { deps } = await startParts(testsAll);
    const upkeep = vi.fn(() => Promise.resolve());
    const pools = deps.registry.pools().map((pool) => ({
      ...pool,
      instances: pool.instances.map((one) => ({ ...one, scanner: { ...one.scanner, upkeep } })),
    }));
    const stop = new AbortController();
    const health: typeof deps.registry.health = async () => ({ status: 'healthy', canLaunch: true, circuit: 'closed' });
    const over = runWorker(
      { ...deps, registry: { ...deps.registry, health, pools: () => pools } },
      { signal: stop.signal },
    );
    await vi.waitFor(() => expect(upkeep).toHaveBeenCalledTimes(1), 25_000);
    stop.abort();
    await over;
  });
});
