import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADVANCED, connect, type Client } from './nessus-client.ts';

let client: Client;
afterEach(async () => client.close());

const does = async (id: number, what: string): Promise<number> =>
  (await client.ask('POST', `/scans/${id}/${what}`)).status;
const advance = (ms: number): void => client.sim.control.advance(ms);
const RUNNING_AFTER_MS = 1_000;

describe('a scan on the simulated Nessus', () => {
  it('is created, launched, walks its statuses, and its report can be downloaded', async () => {
    client = await connect({}, { http: false });
    const id = await client.create({ name: 'web tier', text_targets: '10.0.0.1, 10.0.0.2\n10.0.0.3' });
    expect(await client.status(id)).toBe('empty');
    await client.launch(id);
    const seen: string[] = [];
    for (const ms of [0, 500, 500, 5_000, 500]) {
      advance(ms);
      seen.push(await client.status(id));
    }
    expect(seen).toEqual(['pending', 'initializing', 'running', 'processing', 'completed']);
    const { text, headers } = await client.ask('GET', await client.export(id));
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(text.match(/<ReportHost name="[^"]*"/g)).toEqual(
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => `<ReportHost name="${host}"`),
    );
    expect(text.trimEnd().endsWith('</NessusClientData_v2>')).toBe(true);
  });

  it('shows what it was created with', async () => {
    client = await connect();
    const { value } = await client.ask('POST', '/scans', {
      uuid: ADVANCED,
      settings: { name: 'Prüfung – ñ 世界', description: 'by a test', text_targets: '10.0.0.1' },
    });
    expect(value).toMatchObject({
      scan: { name: 'Prüfung – ñ 世界', custom_targets: '10.0.0.1', owner: 'scanner', user_permissions: 128 },
    });
    expect((await client.ask('GET', '/scans')).text).toContain('"name":"Prüfung – ñ 世界"');
  });

  it.each([
    ['name', { settings: { name: ' ', text_targets: '10.0.0.1' } }],
    ['targets', { settings: { name: 'x', text_targets: '' } }],
    ['folder_id', { settings: { name: 'x', text_targets: '10.0.0.1', folder_id: 1 } }],
    ['uuid', { uuid: 'x', settings: { name: 'x', text_targets: '10.0.0.1' } }],
  ])('is refused with a wrong %s', async (field, body) => {
    client = await connect();
    expect(await client.ask('POST', '/scans', { uuid: ADVANCED, ...body })).toMatchObject({
      status: 400,
      value: { error: `Invalid '${field}' field` },
    });
    expect(client.sim.control.scans()).toEqual([]);
  });

  it('pauses, goes on where it was, and takes its time for both', async () => {
    client = await connect();
    const id = await client.create();
    await client.launch(id);
    advance(RUNNING_AFTER_MS + 2_000);
    expect(await does(id, 'pause')).toBe(200);
    expect(await client.status(id)).toBe('pausing');
    advance(300);
    expect(await client.status(id)).toBe('paused');
    const [before] = await client.hosts(id);
    advance(1_000_000);
    expect(await client.hosts(id)).toEqual([before]);
    expect(await does(id, 'resume')).toBe(200);
    expect(await client.status(id)).toBe('resuming');
    advance(300 + 2_999);
    expect(await client.status(id)).toBe('running');
    advance(1);
    expect(await client.status(id)).toBe('processing');
  });

  it('stops by way of stopping', async () => {
    client = await connect({ runs: [{ stopped_as: 'aborted', turn_ms: 1_000 }] });
    const id = await client.create();
    await client.launch(id);
    expect(await does(id, 'stop')).toBe(200);
    expect(await client.status(id)).toBe('stopping');
    advance(1_000);
    expect(await client.status(id)).toBe('aborted');
  });

  it('is killed at once', async () => {
    client = await connect();
    const id = await client.create();
    await client.launch(id);
    expect(await does(id, 'kill')).toBe(200);
    expect(await client.status(id)).toBe('canceled');
  });

  it('answers 409 to whatever its state does not allow', async () => {
    client = await connect();
    const id = await client.create();
    expect(await Promise.all(['pause', 'resume', 'stop', 'kill'].map((what) => does(id, what)))).toEqual(
      Array.from({ length: 4 }, () => 409),
    );
    await client.launch(id);
    expect(await does(id, 'launch')).toBe(409);
    expect(await does(id, 'pause')).toBe(409); // pending
    expect((await client.ask('DELETE', `/scans/${id}`)).status).toBe(409);
    expect((await client.ask('POST', `/scans/${id}/export`, { format: 'nessus' })).value).toEqual({
      error: 'Can not export running scans',
    });
  });

  it('answers 404 to a scan that is not there, 405 to a method and 404 to a path nobody knows', async () => {
    client = await connect();
    expect(await does(12_345, 'launch')).toBe(404);
    expect((await client.ask('GET', '/scans/12345')).status).toBe(404);
    expect(await client.ask('PUT', '/scans')).toMatchObject({
      status: 405,
      value: { error: 'The requested method is not allowed for this URL' },
    });
    expect((await client.ask('GET', '/nope')).status).toBe(404);
  });

  it('may not be touched below the permission it gives', async () => {
    client = await connect({ scans: [{ name: 'to look at', permissions: 16 }] });
    const id = client.sim.control.scans()[0]?.id ?? 0;
    expect(await does(id, 'launch')).toBe(403);
    expect((await client.ask('DELETE', `/scans/${id}`)).status).toBe(403);
    expect((await client.ask('GET', `/scans/${id}`)).status).toBe(200);
  });

  it('keeps a history, and answers about a run of it', async () => {
    client = await connect({ runs: [{ walk: [{ status: 'running', for_ms: 100 }] }] });
    const id = await client.create();
    const first = await client.launch(id);
    advance(100);
    const second = await client.launch(id);
    const { history } = z
      .object({ history: z.array(z.object({ history_id: z.number(), uuid: z.string(), status: z.string() })) })
      .parse((await client.ask('GET', `/scans/${id}`)).value);
    expect(history.map(({ uuid, status }) => [uuid, status])).toEqual([
      [first, 'completed'],
      [second, 'running'],
    ]);
    const old = await client.ask('GET', `/scans/${id}?history_id=${history[0]?.history_id}`);
    expect(old.value).toMatchObject({ info: { uuid: first, status: 'completed' } });
    expect((await client.ask('GET', `/scans/${id}?history_id=1`)).status).toBe(404);
    expect((await client.ask('DELETE', `/scans/${id}/history/${history[0]?.history_id}`)).status).toBe(200);
  });

  it('may still show the run before for a moment', async () => {
    client = await connect({ runs: [{ walk: [{ status: 'running', for_ms: 100 }], stale_ms: 50 }] });
    const id = await client.create();
    await client.launch(id);
    expect(await client.status(id)).toBe('empty');
    advance(100);
    await client.launch(id);
    advance(49);
    expect(await client.status(id)).toBe('completed');
    advance(1);
    expect(await client.status(id)).toBe('running');
  });

  it('can be moved to the trash, and may have to be before it is deleted', async () => {
    client = await connect({ trash_first: true });
    const id = await client.create();
    const { folders } = z
      .object({ folders: z.array(z.object({ id: z.number(), type: z.string() })) })
      .parse((await client.ask('GET', '/folders')).value);
    expect((await client.ask('DELETE', `/scans/${id}`)).status).toBe(409);
    const trash = folders.find(({ type }) => type === 'trash')?.id;
    expect((await client.ask('PUT', `/scans/${id}/folder`, { folder_id: trash })).status).toBe(200);
    expect((await client.ask('DELETE', `/scans/${id}`)).status).toBe(200);
    expect((await client.ask('GET', `/scans/${id}`)).status).toBe(404);
  });

  it('launches other targets when asked to', async () => {
    client = await connect();
    const id = await client.create();
    await client.ask('POST', `/scans/${id}/launch`, { alt_targets: ['10.9.9.9'] });
    advance(100_000);
    expect((await client.hosts(id)).map(({ hostname }) => hostname)).toEqual(['10.9.9.9']);
  });

  it('is copied, changed and deleted with others', async () => {
    client = await connect();
    const id = await client.create();
    const { id: copy } = z.object({ id: z.number() }).parse((await client.ask('POST', `/scans/${id}/copy`, {})).value);
    await client.ask('PUT', `/scans/${copy}`, { settings: { name: 'second', text_targets: '10.0.0.7' } });
    expect(client.sim.control.scans()).toMatchObject([{ name: 'a scan' }, { name: 'second', targets: '10.0.0.7' }]);
    const deleted = await client.ask('DELETE', '/scans', { ids: [id, copy] });
    expect(deleted.value).toEqual({ deleted: [id, copy] });
    expect((await client.ask('GET', '/scans')).value).toMatchObject({ scans: null });
  });
});

describe('somebody else', () => {
  it('pauses and resumes a scan behind the back of the client', async () => {
    const someone = [
      { after_ms: 2_000, does: 'pause' as const },
      { after_ms: 5_000, does: 'resume' as const },
    ];
    client = await connect({ runs: [{ someone }] });
    const id = await client.create();
    await client.launch(id);
    const seen: string[] = [];
    for (const ms of [2_000, 300, 2_700, 300, 4_000, 500]) {
      advance(ms);
      seen.push(await client.status(id));
    }
    expect(seen).toEqual(['pausing', 'paused', 'resuming', 'running', 'processing', 'completed']);
  });

  it('deletes one', async () => {
    client = await connect({ runs: [{ someone: [{ after_ms: 2_000, does: 'delete' }] }] });
    const id = await client.create();
    await client.launch(id);
    advance(2_000);
    expect((await client.ask('GET', `/scans/${id}`)).status).toBe(404);
    expect((await client.ask('GET', '/scans')).value).toMatchObject({ scans: null });
  });

  it('has scans of his own, of which some run', async () => {
    client = await connect({
      folders: ['Ops'],
      scans: [
        { name: 'semanal – mañana', owner: 'alice', folder: 'Ops' },
        { name: 'now', status: 'running' },
        { name: 'waits', status: 'paused' },
        { name: 'never', status: 'empty' },
      ],
    });
    expect(client.sim.control.scans().map(({ name, status, origin }) => [name, status, origin])).toEqual([
      ['semanal – mañana', 'completed', 'foreign'],
      ['now', 'running', 'foreign'],
      ['waits', 'paused', 'foreign'],
      ['never', 'empty', 'foreign'],
    ]);
    const inOps = client.sim.control.scans()[0]?.folderId;
    const { value } = await client.ask('GET', `/scans?folder_id=${inOps}`);
    expect(value).toMatchObject({ scans: [{ name: 'semanal – mañana', owner: 'alice', folder_id: inOps }] });
  });

  it('gives a scan the name of another', async () => {
    client = await connect();
    await client.create({ name: 'twin' });
    client.sim.control.addScan({ name: 'twin' });
    expect(client.sim.control.scans().map(({ name }) => name)).toEqual(['twin', 'twin']);
  });
});

describe('the list', () => {
  it('is null when there are no scans, and folders have ids nobody can guess', async () => {
    client = await connect({ seed: 8 });
    const { value } = await client.ask('GET', '/scans');
    expect(value).toMatchObject({ scans: null, folders: [{ type: 'trash' }, { type: 'main', name: 'My Scans' }] });
    const other = await connect({ seed: 9 });
    const theirs = (await other.ask('GET', '/folders')).value;
    await other.close();
    expect((await client.ask('GET', '/folders')).value).not.toEqual(theirs);
  });

  it('shows what changed since a time', async () => {
    client = await connect();
    await client.create({ name: 'old' });
    advance(10_000);
    await client.create({ name: 'new' });
    const since = Math.floor(client.sim.control.now() / 1_000);
    expect((await client.ask('GET', `/scans?last_modification_date=${since}`)).value).toMatchObject({
      scans: [{ name: 'new' }],
    });
  });

  it('goes with folders that can be made, renamed and removed', async () => {
    client = await connect();
    const { id } = z.object({ id: z.number() }).parse((await client.ask('POST', '/folders', { name: 'a' })).value);
    expect((await client.ask('POST', '/folders', { name: 'a' })).status).toBe(400);
    await client.ask('PUT', `/folders/${id}`, { name: 'b' });
    await client.create({ folder_id: id });
    expect((await client.ask('GET', '/folders')).text).toContain('"name":"b"');
    expect((await client.ask('DELETE', `/folders/${id}`)).status).toBe(200);
    expect(client.sim.control.scans()).toMatchObject([{ name: 'a scan' }]);
    expect((await client.ask('DELETE', `/folders/${id}`)).status).toBe(404);
  });

  it('names templates by uuid, and no policies as null', async () => {
    client = await connect();
    const { text } = await client.ask('GET', '/editor/scan/templates');
    expect(text).toContain(`{"uuid":"${ADVANCED}","name":"advanced"`);
    expect((await client.ask('GET', '/policies')).value).toEqual({ policies: null });
    expect((await client.ask('GET', '/scanners')).value).toMatchObject({ scanners: [{ name: 'Local Scanner' }] });
  });
});

describe('progress', () => {
  const overall = async (id: number): Promise<number> => {
    const hosts = await client.hosts(id);
    return hosts.length === 0 ? 0 : hosts.reduce((sum, host) => sum + host.scanprogresscurrent, 0) / hosts.length;
  };

  it('goes down whenever another host is found', async () => {
    client = await connect({ runs: [{ hosts: { every_ms: 1_000 } }] });
    const id = await client.create({ text_targets: '10.0.0.1-10.0.0.4' });
    await client.launch(id);
    advance(RUNNING_AFTER_MS);
    expect(await client.hosts(id)).toEqual([]);
    const seen: number[] = [];
    const found: number[] = [];
    for (let count = 0; count < 10; count += 1) {
      advance(500);
      seen.push(await overall(id));
      found.push((await client.hosts(id)).length);
    }
    expect(found).toEqual([1, 2, 2, 3, 3, 4, 4, 4, 4, 4]);
    expect(seen.some((percent, index) => percent < (seen[index - 1] ?? 0))).toBe(true);
    expect(seen.at(-1)).toBe(100);
  });

  it('may sit at 0 until the end', async () => {
    client = await connect({ runs: [{ progress: 'zero' }] });
    const id = await client.create();
    await client.launch(id);
    advance(RUNNING_AFTER_MS + 4_900);
    expect(await overall(id)).toBe(0);
    advance(600);
    expect(await overall(id)).toBe(100);
  });

  it('has no place for hosts that are dead, and vulnerabilities are null while there are none', async () => {
    client = await connect({ runs: [{ hosts: { dead: ['10.0.0.2'] }, report: { findings_per_host: 3 } }] });
    const id = await client.create({ text_targets: '10.0.0.0/30' });
    await client.launch(id);
    expect((await client.ask('GET', `/scans/${id}`)).value).toMatchObject({ vulnerabilities: null });
    advance(100_000);
    expect((await client.hosts(id)).map(({ hostname }) => hostname)).toEqual(['10.0.0.1']);
    const { vulnerabilities } = z
      .object({ vulnerabilities: z.array(z.object({ plugin_id: z.number(), count: z.number() })) })
      .parse((await client.ask('GET', `/scans/${id}`)).value);
    expect(vulnerabilities).toHaveLength(3);
    const one = await client.ask('GET', `/scans/${id}/hosts/2/plugins/${vulnerabilities[0]?.plugin_id}`);
    expect(one.value).toMatchObject({ outputs: [{ hosts: null }] });
    expect((await client.ask('GET', `/scans/${id}/hosts/2`)).value).toMatchObject({ info: { 'host-ip': '10.0.0.1' } });
    expect((await client.ask('GET', `/scans/${id}/hosts/99`)).status).toBe(404);
  });
});
