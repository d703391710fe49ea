import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROUTES } from '../../../src/simulators/nessus/router.ts';
import { ADVANCED, connect, type Client } from './nessus-client.ts';

let client: Client;
const warnings: Error[] = [];
const warned = (warning: Error): void => void warnings.push(warning);
beforeAll(async () => {
  client = await connect({ scans: [{ name: 'one' }, { name: 'now', status: 'running' }] });
  process.on('warning', warned);
});
afterAll(async () => {
  process.off('warning', warned);
  await client.close();
});

const settings = fc.record(
  { name: fc.string(), text_targets: fc.string(), folder_id: fc.anything(), launch_now: fc.boolean() },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc
    .record({ uuid: fc.constant(ADVANCED), settings, credentials: fc.jsonValue(), ids: fc.array(fc.nat()) })
    .map((value) => JSON.stringify(value)),
);

it('no request is more than the simulator can answer', async () => {
  const scans = client.sim.control.scans().map(({ id }) => String(id));
  const value = fc.oneof(fc.constantFrom(...scans), fc.nat().map(String), fc.webFragments());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ROUTES),
      value,
      fc.webQueryParameters(),
      body,
      async (route, id, query, text) => {
        const path = route.path.replace(/\{\w+\}/g, encodeURIComponent(id));
        const answer = await client.ask(route.method, `${path}?${query}`, route.method === 'GET' ? undefined : text);
        expect(answer.status).not.toBe(500);
      },
    ),
    { numRuns: 300 },
  );
  expect(warnings).toEqual([]);
});
