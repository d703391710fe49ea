import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBell } from '../../src/platform/bell.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { fakePool, never, startRegistry, watching, type Started } from './start-registry.ts';

const ids = ({ registry }: Started): string => {
  const [pool] = registry.pools();
  return pool?.name === 'fake' ? pool.instances.map(({ instanceId }) => instanceId).join() : (pool?.name ?? '');
};

describe('a reload', () => {
  it('swaps everything at once and tells listeners', async () => {
    const started = await startRegistry(fakePool('a'));
    let told = 0;
    const stop = started.registry.onChange(() => (told += 1));
    started.write(fakePool('b', 'c'));
    await started.registry.reload();
    expect(ids(started)).toBe('b,c');
    expect(told).toBe(1);
    stop();
    await started.registry.reload();
    expect(told).toBe(1);
  });

  it('changes nothing when the file is broken, and says so until a good one comes', async () => {
    const started = await startRegistry(fakePool('a'));
    const before = started.registry.pools();
    const { loadedAt } = started.registry.status();
    started.clock.pass(5);
    started.write('fake: [{instance_id: a\n');
    const status = await started.registry.reload();
    expect(status).toEqual({ loadedAt, source: started.file, lastError: expect.stringMatching(/:2:1: YAML: /) });
    expect(started.registry.pools()).toBe(before);
    expect(started.errors).toHaveLength(1);
    started.write(fakePool('a', 'b'));
    expect(await started.registry.reload()).toEqual({ loadedAt: loadedAt + 5, source: started.file });
    expect(ids(started)).toBe('a,b');
  });

  it('refuses an empty file: an editor that writes in place passes through that', async () => {
    const started = await startRegistry(fakePool('a'));
    started.write('');
    expect((await started.registry.reload()).lastError).toContain('is empty');
    expect(ids(started)).toBe('a');
  });

  it('keeps scanner, health and circuit of what did not change, whatever its name, limit and place', async () => {
    const started = await startRegistry(fakePool('a', 'b'));
    const { registry, engine } = started;
    await registry.probeAll(never());
    for (let failure = 0; failure < 3; failure += 1) registry.reportOutcome('fake', 'b', false);
    const old = registry.instance('fake', 'a');
    started.write(
      `fake:
  - {instance_id: b, url: "https://b"}
  - {instance_id: a, url: "https://a", name: New name, max_concurrent_scans: 9}
  - {instance_id: c, url: "https://c"}
`,
    );
    await registry.reload();
    expect(registry.instance('fake', 'a')).toMatchObject({ name: 'New name', limit: 9 });
    expect(registry.instance('fake', 'a').scanner).toBe(old.scanner);
    expect(registry.available()).toEqual([{ pool: 'fake', instance: 'a', limit: 9 }]);
    expect((await registry.health(registry.instance('fake', 'b'), never())).circuit).toBe('open');
    expect(engine.made.map(({ url }) => url)).toEqual(['https://a', 'https://b', 'https://c']);
  });

  it('makes a new scanner when the settings change; the old one still works for who holds it', async () => {
    const started = await startRegistry(fakePool('a'));
    const { registry } = started;
    const old = registry.instance('fake', 'a');
    started.write('fake: [{instance_id: a, url: "https://moved"}]\n');
    await registry.reload();
    expect(registry.instance('fake', 'a').scanner).not.toBe(old.scanner);
    expect(await registry.health(old, never())).toMatchObject({ status: 'healthy' });
    expect(started.engine.probed).toEqual(['https://a']);
    registry.reportOutcome('fake', 'a', false);
    started.write('# none\n');
    await registry.reload();
    expect(await registry.health(old, never())).toMatchObject({ status: 'healthy' });
  });

  it('makes new instances available once somebody looked for slots', async () => {
    const started = await startRegistry(fakePool('a'));
    const { registry, changed } = started;
    await registry.probeAll(never());
    started.write(fakePool('a', 'b'));
    await registry.reload();
    expect(registry.available().map(({ instance }) => instance)).toEqual(['a']);
    await changed(() => registry.available().length === 2);
  });

  it('of two at once ends with what the file says last', async () => {
    const started = await startRegistry(fakePool('a'));
    started.write(fakePool('b'));
    const first = started.registry.reload();
    started.write(fakePool('c'));
    const [, second] = await Promise.all([first, started.registry.reload(), started.registry.reload()]);
    expect(second).toBe(started.registry.status());
    expect(ids(started)).toBe('c');
  });
});

describe('a watched file', () => {
  it('is read again when it is written in place, replaced, removed and made', async () => {
    const started = await startRegistry(fakePool('a'));
    watching(started.registry);
    const becomes = (expected: string) => started.changed(() => ids(started) === expected);
    started.write(fakePool('b'));
    await becomes('b');
    started.replace(fakePool('c'));
    await becomes('c');
    rmSync(started.file);
    await becomes('baseline');
    started.write(fakePool('d'));
    await becomes('d');
  });

  it('that is half written first changes nothing until it is whole', async () => {
    const started = await startRegistry(fakePool('a'));
    const seen = new Set<string>();
    started.registry.onChange(() => seen.add(ids(started)));
    watching(started.registry);
    started.write(fakePool('b', 'c').slice(0, -20));
    await started.changed(() => started.registry.status().lastError !== undefined);
    expect(ids(started)).toBe('a');
    started.write(fakePool('b', 'c'));
    await started.changed(() => ids(started) === 'b,c');
    expect([...seen]).toEqual(['a', 'b,c']);
    expect(started.registry.status()).not.toHaveProperty('lastError');
  });

  it('may be moved away for a moment, as some editors do, without a moment of other pools', async () => {
    const started = await startRegistry(fakePool('a'));
    const seen = new Set<string>();
    started.registry.onChange(() => seen.add(ids(started)));
    watching(started.registry);
    renameSync(started.file, `${started.file}~`);
    started.write(fakePool('b'));
    await started.changed(() => ids(started) === 'b');
    expect([...seen]).toEqual(['b']);
  });

  it('is found by looking now and then when its folder was not there', async () => {
    const folder = join(temporaryFolder(), 'later');
    const file = join(folder, 'scanners.yaml');
    const started = await startRegistry(undefined, { file, lookIntervalMs: 20 });
    watching(started.registry);
    expect(ids(started)).toBe('baseline');
    mkdirSync(folder);
    writeFileSync(file, fakePool('a'));
    await started.changed(() => ids(started) === 'a');
  });

  it('counts as changed also when size and time are what they were', async () => {
    const started = await startRegistry(fakePool('a'), { lookIntervalMs: 20 });
    const { atime, mtime } = statSync(started.file);
    watching(started.registry);
    started.write(fakePool('b'));
    utimesSync(started.file, atime, mtime);
    await started.changed(() => ids(started) === 'b');
  });

  it('is read again by the bell that `scanmux reload` rings', async () => {
    const bell = createBell(temporaryFolder(), 'reload');
    const started = await startRegistry(fakePool('a'), { reloadBell: bell });
    const controller = watching(started.registry);
    const reloaded = new Promise<void>((resolve) => {
      const stop = started.registry.onChange(() => {
        stop();
        resolve();
      });
    });
    bell.ring();
    await reloaded;
    controller.abort();
    bell.close();
  });

  it('tells listeners when a circuit lets a scan try again', async () => {
    const started = await startRegistry(fakePool('a'), { lookIntervalMs: 10 });
    const { registry, clock, changed } = started;
    await registry.probeAll(never());
    for (let failure = 0; failure < 3; failure += 1) registry.reportOutcome('fake', 'a', false);
    watching(registry);
    const halfOpen = changed(() => registry.available()[0]?.limit === 1);
    clock.pass(30_000);
    await halfOpen;
  });

  it('is left alone when the watch is over', async () => {
    const started = await startRegistry(fakePool('a'), { lookIntervalMs: 5 });
    const before = process.listenerCount('SIGHUP');
    const controller = watching(started.registry);
    expect(process.listenerCount('SIGHUP')).toBe(before + 1);
    controller.abort();
    expect(process.listenerCount('SIGHUP')).toBe(before);
    let told = 0;
    started.registry.onChange(() => (told += 1));
    const other = await startRegistry(fakePool('x'), { file: started.file, lookIntervalMs: 5 });
    watching(other.registry);
    started.write(fakePool('b'));
    await other.changed(() => ids(other) === 'b');
    expect(told).toBe(0);
  });
});
