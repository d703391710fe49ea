import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, type Client } from './nessus-client.ts';

let client: Client;
afterEach(async () => client.close());

const NONE = {};
const UNKNOWN_SCAN = '/scans/999999';
const properties = async (): Promise<unknown> => (await client.ask('GET', '/server/properties')).value;
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const WRITES = [
  ['POST', '/scans'],
  ['POST', '/scans/import'],
  ['PUT', UNKNOWN_SCAN],
  ['DELETE', UNKNOWN_SCAN],
  ['DELETE', '/scans'],
  ['DELETE', `${UNKNOWN_SCAN}/history/1`],
  ['POST', `${UNKNOWN_SCAN}/copy`],
  ['POST', `${UNKNOWN_SCAN}/launch`],
  ['POST', `${UNKNOWN_SCAN}/pause`],
  ['POST', `${UNKNOWN_SCAN}/resume`],
  ['POST', `${UNKNOWN_SCAN}/stop`],
  ['POST', `${UNKNOWN_SCAN}/kill`],
] as const;

describe('the edition of the simulated Nessus', () => {
  it.each([
    ['manager', { type: 'manager', features: { scan_api: true } }],
    ['professional', { type: 'professional', features: { scan_api: false } }],
    ['essentials', { type: 'home', ips: 16, features: { scan_api: false } }],
  ] as const)('%s says in its properties what it may do', async (edition, license) => {
    client = await connect({ edition });
    expect(await properties()).toMatchObject({ license, features: license.features });
  });

  it('shows only a part of the properties to those who are not logged in', async () => {
    client = await connect();
    const { value } = await client.ask('GET', '/server/properties', undefined, NONE);
    expect(value).toMatchObject({ nessus_type: 'Nessus Manager', server_version: '10.8.3' });
    expect(value).not.toHaveProperty('license');
  });

  it.each(WRITES)('answers 412 to %s %s without scan_api', async (method, path) => {
    client = await connect({ edition: 'professional' });
    const { status, headers, text } = await client.ask(method, path, {});
    expect({ status, text }).toEqual({ status: 412, text: '{"error":"API is not available"}' });
    expect(headers).toMatchObject({ 'content-length': '32', connection: 'close' });
  });

  it('lets an edition without scan_api read and export', async () => {
    client = await connect({ edition: 'essentials', scans: [{ name: 'by hand', targets: ['10.0.0.1'] }] });
    const [scan] = client.sim.control.scans();
    const path = await client.export(scan?.id ?? 0);
    expect((await client.ask('GET', path)).text).toContain('<ReportHost name="10.0.0.1">');
  });

  it('may close the connection after the head of the 412', async () => {
    client = await connect({ edition: 'professional', forbidden: 'head' });
    const answer = await client.open('POST', '/scans', {});
    expect(answer.statusCode).toBe(412);
    await expect(answer.body.text()).rejects.toThrow();
  });

  it.each([true, false])('may cut the connection instead of a 412 (plain http: %s)', async (http) => {
    client = await connect({ edition: 'professional', forbidden: 'reset' }, { http });
    expect(codeOf(await client.ask('POST', '/scans', {}).catch((error: unknown) => error))).toBe('ECONNRESET');
    expect(client.sim.control.scans()).toEqual([]);
  });

  it('may cut the connection although the write was done', async () => {
    client = await connect({ edition: 'professional', forbidden: 'reset_after_success' });
    const failed: unknown = await client.create({ name: 'made anyway' }).catch((error: unknown) => error);
    expect(codeOf(failed)).toBe('ECONNRESET');
    expect(client.sim.control.scans()).toMatchObject([{ name: 'made anyway', origin: 'api' }]);
    expect(client.sim.journal.entries()).toMatchObject([{ method: 'POST', path: '/scans', status: 200 }]);
  });
});

describe('API keys', () => {
  it.each(['accessKey=%a; secretKey=%s', 'accessKey=%a;secretKey=%s;'])('are taken as %s', async (form) => {
    client = await connect();
    const { accessKey, secretKey } = client.sim.auth;
    const header = form.replace('%a', accessKey).replace('%s', secretKey);
    expect((await client.ask('GET', '/folders', undefined, { 'x-apikeys': header })).status).toBe(200);
  });

  it('that are wrong are answered with 401', async () => {
    client = await connect();
    const wrong = { 'X-ApiKeys': 'accessKey=a; secretKey=b' };
    expect(await client.ask('GET', '/scans', undefined, wrong)).toMatchObject({
      status: 401,
      value: { error: 'Invalid Credentials' },
    });
  });

  it('or a session are needed everywhere but at the door', async () => {
    client = await connect();
    expect(await client.ask('GET', '/scans', undefined, NONE)).toMatchObject({
      status: 401,
      value: { error: 'You need to log in to perform this request' },
    });
    expect((await client.ask('GET', '/server/status', undefined, NONE)).status).toBe(200);
  });
});

describe('a session', () => {
  const Token = z.object({ token: z.string() });
  const logIn = async (password?: string): Promise<Record<string, string>> => {
    const { username } = client.sim.auth;
    const { value } = await client.ask(
      'POST',
      '/session',
      { username, password: password ?? client.sim.auth.password },
      NONE,
    );
    return { 'X-Cookie': `token=${Token.parse(value).token}` };
  };
  const list = async (headers: Record<string, string>): Promise<number> =>
    (await client.ask('GET', '/scans', undefined, headers)).status;

  it('lasts while it is used, and not longer', async () => {
    client = await connect({ auth: { idle_timeout_ms: 60_000 } });
    const headers = await logIn();
    client.sim.control.advance(50_000);
    expect(await list(headers)).toBe(200);
    client.sim.control.advance(50_000);
    expect(await list(headers)).toBe(200);
    client.sim.control.advance(60_001);
    expect(await client.ask('GET', '/scans', undefined, headers)).toMatchObject({
      status: 401,
      value: { error: 'You need to log in to perform this request' },
    });
  });

  it('says whose it is, and ends with a log-out', async () => {
    client = await connect();
    const headers = await logIn();
    expect((await client.ask('GET', '/session', undefined, headers)).value).toMatchObject({ username: 'scanner' });
    expect((await client.ask('DELETE', '/session', undefined, headers)).status).toBe(200);
    expect(await list(headers)).toBe(401);
    expect(client.sim.control.openSessions()).toBe(0);
  });

  it('is refused to a wrong password, and to any after too many of them', async () => {
    client = await connect({ auth: { lock_after: 2 } });
    const ask = (password: string): Promise<unknown> =>
      client.ask('POST', '/session', { username: 'scanner', password }, NONE);
    const wrong = { status: 401, value: { error: 'Invalid Credentials' } };
    expect([await ask('x'), await ask('y')]).toMatchObject([wrong, wrong]);
    expect(await ask('simulated')).toMatchObject({ status: 403 });
  });

  it('is one of few', async () => {
    client = await connect({ auth: { session_limit: 2 } });
    await logIn();
    await logIn();
    const { username, password } = client.sim.auth;
    expect((await client.ask('POST', '/session', { username, password }, NONE)).status).toBe(500);
    client.sim.control.expireSessions();
    expect(await list(await logIn())).toBe(200);
  });
});

describe('a Nessus that starts', () => {
  it('answers 503 with how far it is, then works', async () => {
    client = await connect({ boot_ms: 10_000 });
    client.sim.control.advance(4_200);
    const loading = { status: 503, value: { code: 503, status: 'loading', progress: 42 } };
    expect(await client.ask('GET', '/server/status')).toMatchObject(loading);
    expect(await client.ask('GET', '/scans')).toMatchObject(loading);
    client.sim.control.advance(5_800);
    expect(await client.ask('GET', '/server/status')).toMatchObject({ status: 200, value: { status: 'ready' } });
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });

  it('has lost its sessions and aborted what ran', async () => {
    client = await connect();
    const id = await client.create();
    await client.launch(id);
    client.sim.control.restart(1_000);
    expect((await client.ask('GET', '/scans')).status).toBe(503);
    client.sim.control.advance(1_000);
    expect(await client.status(id)).toBe('aborted');
  });
});

describe('Tenable Vulnerability Management', () => {
  it('knows API keys only', async () => {
    client = await connect({ edition: 'tenable_vm' });
    expect((await client.ask('POST', '/session', { username: 'scanner', password: 'simulated' }, NONE)).status).toBe(
      405,
    );
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });

  it('has a text for the file of an export, and no token routes', async () => {
    client = await connect({ edition: 'tenable_vm', scans: [{ name: 'one' }] });
    const [scan] = client.sim.control.scans();
    const { value } = await client.ask('POST', `/scans/${scan?.id}/export`, { format: 'nessus' });
    const { file, token } = z.object({ file: z.string(), token: z.string() }).parse(value);
    expect((await client.ask('GET', `/scans/${scan?.id}/export/${file}/status`)).status).toBe(200);
    expect((await client.ask('GET', `/tokens/${token}/status`)).status).toBe(404);
  });

  it('tells status and progress by themselves, and stops by force', async () => {
    client = await connect({ edition: 'tenable_vm' });
    const id = await client.create();
    await client.launch(id);
    client.sim.control.advance(3_000);
    expect((await client.ask('GET', `/scans/${id}/latest-status`)).value).toEqual({ status: 'running' });
    expect((await client.ask('GET', `/scans/${id}/progress`)).value).toEqual({ progress: 0 });
    expect((await client.ask('POST', `/scans/${id}/force-stop`)).status).toBe(200);
    expect((await client.ask('GET', `/scans/${id}/latest-status`)).value).toEqual({ status: 'canceled' });
  });

  it('sends away those who ask too often, with a page and the time to wait', async () => {
    client = await connect({ edition: 'tenable_vm', rate_limit: { requests: 2, per_ms: 1_000, retry_after_s: 7 } });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push(await client.ask('GET', '/scans'));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(statuses[2]?.headers).toMatchObject({ 'retry-after': '7', 'content-type': 'text/html' });
    client.sim.control.advance(1_000);
    expect((await client.ask('GET', '/scans')).status).toBe(200);
  });
});
