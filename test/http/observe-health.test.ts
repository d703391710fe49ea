import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { startObserved } from './observe-lab.ts';

const NEVER = new Promise<never>(() => undefined);

it('says that the process lives, and that it can serve, to everybody', async () => {
  const { url } = await startObserved();
  const alive = await fetch(`${url}/healthz`);
  expect([alive.status, await alive.json()]).toEqual([200, { status: 'alive' }]);
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(200);
  expect(ready.headers.get('cache-control')).toBe('no-store');
  expect(await ready.json()).toEqual({
    status: 'ready',
    parts: { process: 'ok', queue: 'ok', data_folder: 'ok', scanners: 'ok' },
  });
});

it('is not ready while the queue fails or does not answer, in bounded time, and still lives', async () => {
  const lab = await startObserved();
  lab.queue.readiness = () => Promise.reject(new AppError('queue_unavailable', 'The file /secret/place is locked.'));
  const failing = await fetch(`${lab.url}/readyz`);
  const text = await failing.text();
  expect([failing.status, JSON.parse(text)]).toMatchObject([
    503,
    { status: 'not_ready', parts: { queue: 'queue_unavailable' } },
  ]);
  expect(text).not.toContain('secret');
  lab.queue.readiness = () => NEVER;
  const hanging = await fetch(`${lab.url}/readyz`);
  expect([hanging.status, await hanging.json()]).toMatchObject([503, { parts: { queue: 'queue_unavailable' } }]);
  expect((await fetch(`${lab.url}/healthz`)).status).toBe(200);
});

it('is not ready without a data folder it can write to, nor while it stops', async () => {
  const lab = await startObserved();
  rmSync(lab.folder, { recursive: true, force: true });
  const gone = await fetch(`${lab.url}/readyz`);
  expect([gone.status, await gone.json()]).toMatchObject([503, { parts: { data_folder: 'not writable' } }]);
  lab.closing.abort();
  expect(await (await fetch(`${lab.url}/readyz`)).json()).toMatchObject({ parts: { process: 'stopping' } });
});

it('stays ready with a broken scanners.yaml beside pools in force, and is not without any', async () => {
  const lab = await startObserved();
  lab.scanners.fail('line 3 is wrong');
  expect((await fetch(`${lab.url}/readyz`)).status).toBe(200);
  lab.scanners.fail('line 3 is wrong', []);
  const none = await fetch(`${lab.url}/readyz`);
  expect([none.status, await none.json()]).toMatchObject([503, { parts: { scanners: 'config_invalid' } }]);
});

it('answers many questions at once with one look', async () => {
  const lab = await startObserved();
  let looks = 0;
  lab.queue.readiness = () => {
    looks += 1;
    return Promise.resolve({ hasWorker: true, instances: [] });
  };
  await Promise.all(Array.from({ length: 50 }, () => fetch(`${lab.url}/readyz`)));
  expect(looks).toBeLessThan(50);
});
