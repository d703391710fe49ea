import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request, type Dispatcher } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startChildSimulator, type ChildSimulator } from './child-simulator.ts';
import { ADVANCED } from './nessus-client.ts';

let folder: string;
let child: ChildSimulator;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});
afterEach(async () => {
  await child.kill();
  rmSync(folder, { recursive: true, force: true });
});

const State = z.object({
  scans: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      status: z.string(),
      launches: z.array(z.object({ uuid: z.string() })),
    }),
  ),
});
const Journal = z.object({
  entries: z.array(z.object({ seq: z.number(), path: z.string(), status: z.number().nullable() })),
});

async function ask(dispatcher: Dispatcher, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  const { accessKey, secretKey } = child.auth;
  const answer = await request(`${child.url}${path}`, {
    method,
    dispatcher,
    headers: { 'X-ApiKeys': `accessKey=${accessKey}; secretKey=${secretKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.body.json();
}

const create = (dispatcher: Dispatcher, name: string): Promise<unknown> =>
  ask(dispatcher, 'POST', '/scans', { uuid: ADVANCED, settings: { name, text_targets: '10.0.0.1' } });

describe('a simulator that is killed and started again', () => {
  it('has aborted what ran, kept the rest, and is still trusted at the same address', async () => {
    const options = { stateFile: join(folder, 'state'), journalFile: join(folder, 'journal') };
    child = await startChildSimulator(options);
    const dispatcher = new Agent({ connect: { ca: child.certificate ?? '' } });
    const { scan } = z.object({ scan: z.object({ id: z.number() }) }).parse(await create(dispatcher, 'ñ'));
    await ask(dispatcher, 'POST', `/scans/${scan.id}/launch`, {});
    const { port } = child;
    await child.kill();
    child = await startChildSimulator({ ...options, port });
    const { scans } = State.parse(await ask(dispatcher, 'GET', '/simulator/state'));
    expect(scans).toMatchObject([{ id: scan.id, name: 'ñ', status: 'aborted', launches: [{}] }]);
    const { entries } = Journal.parse(await ask(dispatcher, 'GET', '/simulator/journal'));
    expect(entries).toEqual([
      { seq: 1, path: '/scans', status: 200 },
      { seq: 2, path: `/scans/${scan.id}/launch`, status: 200 },
    ]);
    await dispatcher.destroy();
  });

  it('has every scan whose creation it answered, each of them once', async () => {
    const options = { http: true, stateFile: join(folder, 'state') };
    child = await startChildSimulator(options);
    const answered: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const dispatcher = new Agent();
      let count = 0;
      const creating = Array.from({ length: 40 }, async (_, index) => {
        await create(dispatcher, `${round}-${index}`);
        answered.push(`${round}-${index}`);
        count += 1;
        if (count === 10) await child.kill();
      });
      await Promise.allSettled(creating);
      await dispatcher.destroy();
      child = await startChildSimulator({ ...options, port: child.port });
    }
    const dispatcher = new Agent();
    const { scans } = State.parse(await ask(dispatcher, 'GET', '/simulator/state'));
    const names = scans.map(({ name }) => name);
    expect(answered.length).toBeGreaterThanOrEqual(30);
    expect(names).toEqual(expect.arrayContaining(answered));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(scans.map(({ id }) => id)).size).toBe(scans.length);
    await dispatcher.destroy();
  });
});
