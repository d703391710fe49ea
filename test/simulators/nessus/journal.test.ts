import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { newScanId } from '../../../src/model/ids.ts';
import { connect, type Client } from './nessus-client.ts';

let client: Client;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});
afterEach(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

const control = async (command: unknown, headers = {}): Promise<{ status: number; value: unknown }> =>
  client.ask('POST', '/simulator/control', command, headers);

describe('the journal', () => {
  it('has an entry for each request, in a file as well, with the marker and the maker of the scan', async () => {
    const journalFile = join(folder, 'journal.jsonl');
    client = await connect({ scans: [{ name: 'of somebody' }] }, { journalFile });
    const marker = `${newScanId()}.3`;
    const foreign = client.sim.control.scans()[0]?.id ?? 0;
    const id = await client.create({ name: `web [${marker}]` });
    await client.launch(id);
    await client.ask('GET', `/scans/${foreign}?limit=5`);
    const expected = [
      { seq: 1, method: 'POST', path: '/scans', route: '/scans', marker, scan_id: null, status: 200, auth: 'keys' },
      { seq: 2, route: '/scans/{id}/launch', marker, scan_id: id, scan_origin: 'api', in_flight: 1, fault: null },
      { seq: 3, scan_id: foreign, scan_origin: 'foreign', marker: null, query: { limit: '5' } },
    ];
    expect(client.sim.journal.entries()).toMatchObject(expected);
    expect(client.sim.journal.entries(2)).toHaveLength(1);
    const lines = readFileSync(journalFile, 'utf8').trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(client.sim.journal.entries());
  });

  it('finds the marker in a description too, and says how a request was let in', async () => {
    client = await connect();
    const marker = newScanId();
    const id = await client.create({ name: 'x', description: `made by scanmux (${marker})` });
    await client.ask('GET', `/scans/${id}`, undefined, {});
    await client.ask('GET', `/scans/${id}`, undefined, { 'X-Cookie': 'token=old' });
    expect(client.sim.journal.entries().map((entry) => [entry.marker, entry.auth, entry.status])).toEqual([
      [marker, 'keys', 200],
      [marker, 'none', 401],
      [marker, 'refused', 401],
    ]);
  });

  it("tells when one of many scans was somebody else's", async () => {
    client = await connect({ scans: [{ name: 'of somebody' }] });
    const foreign = client.sim.control.scans()[0]?.id;
    const ids = [await client.create(), foreign];
    await client.ask('DELETE', '/scans', { ids });
    expect(client.sim.journal.entries().at(-1)).toMatchObject({
      method: 'DELETE',
      scan_origin: 'foreign',
      status: 200,
    });
  });

  it('counts the requests that are under way', async () => {
    client = await connect({ faults: [{ on: 'GET /folders', do: 'hang' }] });
    const asking = Promise.all(Array.from({ length: 5 }, async () => client.ask('GET', '/folders')));
    await vi.waitFor(() => expect(client.sim.control.inFlight()).toBe(5), 25_000);
    client.sim.control.release();
    await asking;
    expect(
      client.sim.journal
        .entries()
        .map((entry) => entry.in_flight)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on where the file ends', async () => {
    const journalFile = join(folder, 'journal.jsonl');
    client = await connect({}, { journalFile });
    await client.ask('GET', '/scans');
    await client.close();
    client = await connect({}, { journalFile });
    await client.ask('GET', '/folders');
    expect(client.sim.journal.entries().map(({ seq, path }) => [seq, path])).toEqual([
      [1, '/scans'],
      [2, '/folders'],
    ]);
  });
});

describe('the routes of the simulator itself', () => {
  const State = z.object({ scans: z.array(z.object({ id: z.number(), name: z.string(), status: z.string() })) });
  const scans = async (): Promise<z.infer<typeof State>['scans']> =>
    State.parse((await client.ask('GET', '/simulator/state', undefined, {})).value).scans;

  it('show the journal and the state, and are not in it', async () => {
    client = await connect();
    await client.ask('GET', '/scans');
    const { value } = await client.ask('GET', '/simulator/journal?after=0', undefined, {});
    expect(value).toMatchObject({ entries: [{ path: '/scans' }] });
    expect(await scans()).toEqual([]);
    expect(client.sim.journal.entries()).toHaveLength(1);
  });

  it('do what a person can do, on any edition', async () => {
    client = await connect({ edition: 'essentials' });
    const { id } = z
      .object({ id: z.number() })
      .parse((await control({ do: 'add_scan', scan: { name: 'x', status: 'empty' } })).value);
    expect(await control({ do: 'launch', id })).toMatchObject({ status: 200 });
    expect(await control({ do: 'advance', ms: 1_000 })).toMatchObject({ status: 200 });
    expect(await scans()).toMatchObject([{ id, name: 'x', status: 'running' }]);
    await control({ do: 'pause', id });
    await control({ do: 'advance', ms: 300 });
    expect(await scans()).toMatchObject([{ status: 'paused' }]);
    await control({ do: 'rename', id, name: 'ñ' });
    expect(await control({ do: 'stop', id })).toMatchObject({ status: 200 });
    expect(await control({ do: 'pause', id })).toMatchObject({ status: 409 });
    await control({ do: 'restart', boot_ms: 0 });
    expect(await scans()).toMatchObject([{ name: 'ñ', status: 'aborted' }]);
    await control({ do: 'delete', id });
    expect(await scans()).toEqual([]);
    expect(await control({ do: 'delete', id })).toMatchObject({ status: 404 });
  });

  it('set faults, and refuse what they do not know', async () => {
    client = await connect();
    await control({ do: 'add_fault', fault: { on: 'GET /scans', do: 'status', code: 418 } });
    expect((await client.ask('GET', '/scans')).status).toBe(418);
    await control({ do: 'clear_faults' });
    expect((await client.ask('GET', '/scans')).status).toBe(200);
    expect(await control({ do: 'expire_sessions' })).toMatchObject({ status: 200 });
    expect(await control({ do: 'fly' })).toMatchObject({ status: 400 });
    expect(await client.ask('POST', '/simulator/control', '{', {})).toMatchObject({ status: 400 });
    expect((await client.ask('GET', '/simulator/nope')).status).toBe(404);
  });

  it.each([{ origin: 'http://evil.test' }, { host: 'evil.test' }])('are closed to web pages: %j', async (headers) => {
    client = await connect();
    expect(await control({ do: 'clear_faults' }, headers)).toMatchObject({ status: 403 });
  });

  it('do not move a clock that runs by itself', async () => {
    client = await connect({ speed: 1_000 }, { manualClock: false });
    expect(await control({ do: 'advance', ms: 1 })).toMatchObject({ status: 400 });
    const before = client.sim.control.now();
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    expect(client.sim.control.now()).toBeGreaterThan(before);
  });
});
