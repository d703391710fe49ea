import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FaultInput } from '../../../src/simulators/nessus/fault.ts';
import type { ScenarioInput } from '../../../src/simulators/nessus/scenario.ts';
import { ADVANCED, connect, type Client } from './nessus-client.ts';

let client: Client;
afterEach(async () => client.close());

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error);
const failing = async (fault: FaultInput, scenario: ScenarioInput = {}): Promise<void> => {
  client = await connect({ ...scenario, faults: [fault] });
};
const failure = (asking: Promise<unknown>): Promise<unknown> => asking.then(() => 'no failure', codeOf);

/** A finished scan whose download is at the path. */
async function exported(fault: FaultInput, scenario: ScenarioInput = {}): Promise<string> {
  await failing(fault, scenario);
  const id = await client.create();
  await client.launch(id);
  client.sim.control.advance(1_000_000);
  return client.export(id);
}

describe('a fault', () => {
  it('happens on the nth request to a route, and only there', async () => {
    await failing({ on: 'POST /scans/{id}/launch', nth: 2, do: 'status', code: 502 });
    const ids = [await client.create(), await client.create(), await client.create()];
    const statuses = [];
    for (const id of ids) statuses.push((await client.ask('POST', `/scans/${id}/launch`, {})).status);
    expect(statuses).toEqual([200, 502, 200]);
  });

  it('happens a number of times, to a path, a method or everything', async () => {
    client = await connect({
      faults: [
        { on: 'GET /folders', nth: 2, times: 2, do: 'status' },
        { on: 'PUT *', do: 'status', code: 503 },
      ],
    });
    const get = async (): Promise<number> => (await client.ask('GET', '/folders')).status;
    expect([await get(), await get(), await get(), await get()]).toEqual([200, 500, 500, 200]);
    expect((await client.ask('PUT', '/scans/1')).status).toBe(503);
    client.sim.control.addFault({ on: '*', do: 'status', code: 429 });
    expect((await client.ask('GET', '/scans')).status).toBe(429);
    client.sim.control.clearFaults();
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });

  it('can be a status with the time to wait, or the page of a proxy', async () => {
    client = await connect({
      faults: [
        { on: 'GET /scans', do: 'status', code: 429, retry_after: 3 },
        { on: 'GET /folders', do: 'status', code: 502, html: true },
      ],
    });
    expect(await client.ask('GET', '/scans')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '3' },
      value: { error: 'Simulated 429' },
    });
    const page = await client.ask('GET', '/folders');
    expect(page).toMatchObject({ status: 502, headers: { 'content-type': 'text/html' } });
    expect(page.text).toContain('<title>502 Error</title>');
  });

  it('can be a page where JSON was due', async () => {
    await failing({ on: 'GET /scans', do: 'html_page' });
    expect(await client.ask('GET', '/scans')).toMatchObject({ status: 200, headers: { 'content-type': 'text/html' } });
  });

  it('can be the end of a session', async () => {
    await failing({ on: 'GET /scans', nth: 1, do: 'logged_out' });
    expect((await client.ask('GET', '/scans')).status).toBe(401);
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });

  it.each([true, false])('can cut the connection before anything was done (plain http: %s)', async (http) => {
    client = await connect({ faults: [{ on: 'POST /scans', nth: 1, do: 'reset' }] }, { http });
    expect(await failure(client.create())).toBe('ECONNRESET');
    expect(client.sim.control.scans()).toEqual([]);
    expect(client.sim.journal.entries()).toMatchObject([{ path: '/scans', status: null, fault: 'reset' }]);
  });

  it.each([true, false])('can cut the connection after it was done (plain http: %s)', async (http) => {
    client = await connect({ faults: [{ on: 'POST /scans', nth: 1, do: 'reset_after_success' }] }, { http });
    expect(await failure(client.create())).toBe('ECONNRESET');
    expect(client.sim.control.scans()).toHaveLength(1);
    expect(client.sim.journal.entries()).toMatchObject([{ status: 200, fault: 'reset_after_success' }]);
  });

  it('can be silence, until the client gives up', async () => {
    await failing({ on: 'GET /scans', do: 'hang' });
    const asking = client.open('GET', '/scans', undefined, client.keys, AbortSignal.timeout(50));
    await expect(asking).rejects.toThrow(/timeout|aborted/);
    await client.ask('GET', '/folders');
    expect(client.sim.journal.entries()).toMatchObject([{ path: '/scans', status: null, fault: 'hang' }, {}]);
  });

  it('can be half of the JSON, or none', async () => {
    client = await connect({
      faults: [
        { on: 'GET /folders', do: 'half_json' },
        { on: 'GET /scans', do: 'empty_body' },
      ],
    });
    const half = await client.ask('GET', '/folders');
    expect(half).toMatchObject({ status: 200, value: undefined });
    expect(half.text).toMatch(/^\{"folders":/);
    expect(await client.ask('GET', '/scans')).toMatchObject({ status: 200, text: '' });
  });

  it('can be a body that drips', async () => {
    await failing({ on: 'GET /folders', do: 'slow_body', ms: 1, bytes: 10 });
    const answer = await client.open('GET', '/folders');
    const pieces: number[] = [];
    const chunks: AsyncIterable<Buffer> = answer.body;
    for await (const chunk of chunks) pieces.push(chunk.length);
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(100);
  });

  it('can be a body without end, which the client has to leave', async () => {
    await failing({ on: 'GET /folders', do: 'endless_body' });
    const answer = await client.open('GET', '/folders');
    let length = 0;
    const chunks: AsyncIterable<Buffer> = answer.body;
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > 1_000_000) break;
    }
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });

  it('can be an answer that takes its time', async () => {
    await failing({ on: 'GET /folders', nth: 1, do: 'delay', ms: 10 });
    expect((await client.ask('GET', '/folders')).status).toBe(200);
  });

  it('can be an answer nobody waits for any more, to what was done all the same', async () => {
    await failing({ on: 'POST /scans', nth: 1, do: 'delay', ms: 100 });
    const settings = { name: 'late', text_targets: '10.0.0.1' };
    const giveUp = AbortSignal.timeout(20);
    const asking = client.open('POST', '/scans', { uuid: ADVANCED, settings }, client.keys, giveUp);
    await expect(asking).rejects.toThrow(/timeout|aborted/);
    await vi.waitFor(() => expect(client.sim.control.scans()).toMatchObject([{ name: 'late' }]), 25_000);
    expect(client.sim.journal.entries()).toMatchObject([{ path: '/scans', status: 200 }]);
  });

  it.each([
    ['hang', 0],
    ['hang_after_success', 1],
  ] as const)('can be a %s that ends when it is released: %i scans are made by then', async (how, made) => {
    await failing({ on: 'POST /scans', nth: 1, do: how });
    const creating = client.create();
    await vi.waitFor(() => expect(client.sim.control.inFlight()).toBe(1), 25_000);
    await client.ask('GET', '/folders');
    expect(client.sim.control.scans()).toHaveLength(made);
    client.sim.control.release();
    expect(client.sim.control.scans().map(({ id }) => id)).toEqual(made === 0 ? [] : [await creating]);
    await creating;
    expect(client.sim.control.scans()).toHaveLength(1);
    expect(
      client.sim.journal
        .entries()
        .map((entry) => entry.in_flight)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2]);
  });
});

describe('a download', () => {
  it.each([true, false])('can break off (its length announced: %s)', async (announced) => {
    const path = await exported(
      { on: 'download', do: 'truncate', bytes: 3_000 },
      { exports: { content_length: announced } },
    );
    const answer = await client.open('GET', path);
    expect(answer.headers['content-length'] !== undefined).toBe(announced);
    let length = 0;
    const reading = (async () => {
      const chunks: AsyncIterable<Buffer> = answer.body;
      for await (const chunk of chunks) length += chunk.length;
    })();
    await expect(reading).rejects.toThrow();
    expect(length).toBe(3_000);
  });

  it('can end too early as if that were all', async () => {
    const path = await exported({ on: 'download', do: 'cut_clean', bytes: 3_000 });
    const { status, text } = await client.ask('GET', path);
    expect(status).toBe(200);
    expect(Buffer.byteLength(text)).toBe(3_000);
  });

  it('can promise more than there is', async () => {
    const path = await exported(
      { on: 'download', do: 'wrong_length', bytes: 500 },
      { exports: { content_length: true } },
    );
    const answer = await client.open('GET', path);
    await expect(answer.body.text()).rejects.toThrow();
  });

  it('can go wrong on one of its routes alone', async () => {
    const path = await exported({ on: 'GET /scans/{id}/export/{file}/download', do: 'status', code: 404 });
    expect((await client.ask('GET', path)).status).toBe(404);
  });
});
