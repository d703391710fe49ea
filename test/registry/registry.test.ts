import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { defaultPools } from '../../src/registry/pool-config.ts';
import { fakePool, never, startRegistry } from './start-registry.ts';

describe('the registry', () => {
  it('has the pools and instances of the file, in its order', async () => {
    const { registry, file, clock } = await startRegistry(`${fakePool('a', 'b')}baseline: [{instance_id: local}]\n`);
    expect(registry.pools().map(({ name }) => name)).toEqual(['fake', 'baseline']);
    expect(registry.pool('fake').capabilities.engine).toBe('fake');
    expect(registry.instance('fake', 'b')).toMatchObject({ pool: 'fake', instanceId: 'b', enabled: true, limit: 3 });
    expect(registry.status()).toEqual({ loadedAt: clock.now(), source: file });
    expect(registry.defaultPool).toBe('baseline');
  });

  it('has the built-in pools when there is no file, or nothing but comments in it', async () => {
    for (const text of [undefined, '# nothing yet\n']) {
      const { registry } = await startRegistry(text);
      expect(registry.status().source).toBe('built-in defaults');
      expect(registry.instance('baseline', 'local').limit).toBe(4);
    }
  });

  it('names the valid pools and instances when asked for others', async () => {
    const { registry } = await startRegistry(`${fakePool('a', 'b')}baseline: []\n`);
    const refused = (code: string, message: string) => expect.objectContaining({ code, message });
    expect(() => registry.pool('nessus')).toThrow(
      refused('pool_unknown', 'There is no pool "nessus". Pools: fake, baseline.'),
    );
    expect(() => registry.instance('__proto__', 'a')).toThrow(
      refused('pool_unknown', 'There is no pool "__proto__". Pools: fake, baseline.'),
    );
    expect(() => registry.instance('fake', 'c')).toThrow(
      refused('instance_unknown', 'There is no instance "c" in pool fake. Instances: a, b.'),
    );
    expect(() => registry.instance('baseline', 'c')).toThrow(
      refused('instance_unknown', 'There is no instance "c" in pool baseline. Instances: none.'),
    );
  });

  it('takes the only pool as the default when the configured one does not exist', async () => {
    const { registry, write } = await startRegistry(fakePool('a'));
    expect(registry.defaultPool).toBe('fake');
    write(`${fakePool('a')}fake_2: []\n`);
    await registry.reload();
    expect(registry.defaultPool).toBe('baseline');
  });

  it('has no pools after a broken start, says why at every use, and recovers by a good file', async () => {
    const { registry, write, file, errors } = await startRegistry('fake: nothing\n');
    expect(registry.pools()).toEqual([]);
    expect(registry.available()).toEqual([]);
    const refusal = expect.objectContaining({
      code: 'config_invalid',
      message: expect.stringContaining('must be a list'),
    });
    expect(() => registry.pool('baseline')).toThrow(refusal);
    expect(() => registry.instance('fake', 'a')).toThrow(refusal);
    expect(registry.status()).toEqual({
      loadedAt: 0,
      source: file,
      lastError: expect.stringContaining('must be a list'),
    });
    expect(errors).toHaveLength(1);
    await registry.probeAll(never());
    write(fakePool('a'));
    expect(await registry.reload()).not.toHaveProperty('lastError');
    expect(registry.pool('fake').instances).toHaveLength(1);
  });

  it('does not hold secrets where they could be printed', async () => {
    const { registry } = await startRegistry('fake: [{instance_id: a, url: "https://a", password: "${TOKEN}"}]\n');
    expect(JSON.stringify([registry.pools(), registry.status(), registry.instance('fake', 'a')])).not.toContain(
      'hunter2',
    );
  });

  it('refuses a file whose settings the engine refuses', async () => {
    const { registry } = await startRegistry('fake: [{instance_id: a, url: "https://a", ca_file: /absent}]\n');
    expect(() => registry.pool('fake')).toThrow(AppError);
    expect(registry.status().lastError).toBe('pool fake, instance a: engine fake refuses these settings');
  });
});

describe('the built-in pools', () => {
  it('are baseline, and nmap when its binary is found', () => {
    expect(defaultPools({ findNmap: () => undefined })).toEqual([
      { name: 'baseline', instances: [expect.objectContaining({ instance_id: 'local', max_concurrent_scans: 4 })] },
    ]);
    expect(defaultPools({ findNmap: () => '/usr/bin/nmap' })[1]).toEqual({
      name: 'nmap',
      instances: [expect.objectContaining({ instance_id: 'local', max_concurrent_scans: 2, binary: '/usr/bin/nmap' })],
    });
  });
});
