import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openServeParts } from '../../src/cli/serve-parts.ts';
import { HttpSettings } from '../../src/config/settings-http.ts';
import { ROUTES, type Route } from '../../src/http/rest/routes.ts';
import { serve } from '../../src/http/serve.ts';
import { apiKeyHash, newApiKey } from '../../src/model/api-key.ts';
import { Scope } from '../../src/model/caller.ts';
import { newScanId } from '../../src/model/ids.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { createMcpServer } from '../../src/tools/server.ts';
import { blue, madeId, openLab, populate, report } from './isolation-lab.ts';

/** The whole server with keys of two tenants, who have everything but `admin`. */
async function openServer() {
  const lab = await openLab();
  const { app } = lab;
  const log = createLog('silent');
  const settings = { ...HttpSettings.parse({}), port: 0 };
  const keyOf = async (tenant: string): Promise<string> => {
    const { text, prefix } = newApiKey();
    const scopes = Scope.options.filter((scope) => scope !== 'admin');
    await app.keys.add({ prefix, sha256: apiKeyHash(text), tenant, name: tenant, scopes, createdAt: 1 });
    return text;
  };
  const keys = { acme: await keyOf('acme'), blue: await keyOf('blue') };
  const { authenticator, partsOf } = await openServeParts(app, settings, log);
  const closing = new AbortController();
  const shell = { authenticator, log, clock: systemClock, closing };
  const makeServer = (askerOf: Parameters<typeof createMcpServer>[0]['askerOf']) =>
    createMcpServer({
      version: '0.0.0',
      open: () => Promise.resolve(app.scans),
      ...(askerOf ? { askerOf } : {}),
      onDefect: (error) => {
        throw error;
      },
    });
  const server = await serve({ ...shell, makeServer }, settings, partsOf({ ...shell, closing: closing.signal }));
  onTestFinished(() => server.stop());
  const send = async (key: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...MCP_HEADERS, ...Object(init.headers) },
    });
  return { lab, keys, send };
}

const MCP_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** What differs between any two answers. */
const PASSING = new Set(['date', 'x-trace-id', 'connection', 'keep-alive', 'content-length', 'retry-after']);

/** Status, headers and body, with the id that was asked for and the trace made equal. */
async function told(response: Response, id: string): Promise<string> {
  const headers = [...response.headers].filter(([name]) => !PASSING.has(name));
  const body = (await response.text()).replaceAll(response.headers.get('x-trace-id') ?? 'none', 'TRACE');
  return JSON.stringify([response.status, headers, body.replaceAll(/[0-9a-f]{32}/g, 'HEX')]).replaceAll(id, 'ID');
}

const pathOf = ({ path }: Route, id: string): string =>
  `/api${path.replaceAll(/\{scan_id\}|\{finding_id\}/g, id).replaceAll('{format}', 'json')}`;

/** Routes that name a thing, in their path or in their query. */
const NAMING = ROUTES.filter(({ path }) => path.includes('_id}'));
const HEAD = '/api/compare?head_scan_id=';

/** A cursor of the same form as ours that nobody was given. */
const unknownCursor = (): string => Buffer.from(`${newScanId()}.AAAAAAAAAAAA`).toString('base64url');

/** Asks which scans begin so, at every place that completes the id of a scan. */
const completions = (value: string): readonly [string, object][] =>
  ['scan://{scan_id}', 'scan://{scan_id}/findings{?cursor}', 'scan://{scan_id}/report/{format}'].map((uri) => [
    'completion/complete',
    { ref: { type: 'ref/resource', uri }, argument: { name: 'scan_id', value } },
  ]);

describe('another tenant, over HTTP', () => {
  it('is answered by every route as about what does not exist: status, headers and body', async () => {
    const { lab, keys, send } = await openServer();
    const { scans, finding } = await populate(lab);
    expect(NAMING.length).toBeGreaterThan(8);
    for (const route of NAMING) {
      const isFinding = route.path.includes('{finding_id}');
      for (const id of isFinding ? [finding, `${scans[0]}.60`] : scans) {
        const unknown = isFinding ? `${newScanId()}.1` : newScanId();
        const init = { method: route.method.toUpperCase(), ...(route.method === 'post' ? { body: '{}' } : {}) };
        const [one, other] = [
          await told(await send(keys.blue, pathOf(route, id), init), id),
          await told(await send(keys.blue, pathOf(route, unknown), init), unknown),
        ];
        expect(one, `${route.method} ${route.path}`).toBe(other);
        expect(one, `${route.method} ${route.path}`).toMatch(/^\[404,/);
      }
    }
    for (const id of scans) {
      const unknown = newScanId();
      expect(await told(await send(keys.blue, `${HEAD}${id}`), id)).toBe(
        await told(await send(keys.blue, `${HEAD}${unknown}`), unknown),
      );
    }
    // The walk can fail: the owner is answered otherwise.
    const own = await send(keys.acme, `/api/scans/${scans[0]}`);
    expect(own.status).toBe(200);
  });

  it('cannot go on where a cursor of others points', async () => {
    const { lab, keys, send } = await openServer();
    const { scans, cursors } = await populate(lab);
    const own = madeId(await lab.call(blue, 'import_report', { content: report([22]) }));
    const lists: readonly [theirs: string, ours: string, cursor: string][] = [
      ['/api/scans?limit=1', '/api/scans?limit=1', cursors.list_scans],
      [
        '/api/findings?latest_only=false&max_tokens=500',
        '/api/findings?latest_only=false&max_tokens=500',
        cursors.search_findings,
      ],
      [
        `/api/scans/${scans[0]}/findings?max_tokens=500`,
        `/api/scans/${own}/findings?max_tokens=500`,
        cursors.get_scan_results,
      ],
    ];
    for (const [theirs, ours, cursor] of lists) {
      const unknown = unknownCursor();
      const one = await told(await send(keys.blue, `${ours}&cursor=${cursor}`), cursor);
      expect(one, ours).toBe(await told(await send(keys.blue, `${ours}&cursor=${unknown}`), unknown));
      expect(one, ours).toMatch(/^\[400,.*cursor_invalid/);
      // The walk can fail: whoever was given the cursor gets the next page.
      const next = await send(keys.acme, `${theirs}&cursor=${cursor}`);
      expect(next.status, await next.text()).toBe(200);
    }
  });

  it('sees nothing in any list', async () => {
    const { lab, keys, send } = await openServer();
    const { scans } = await populate(lab);
    const lists = ROUTES.filter(({ method, path }) => method === 'get' && !path.includes('{') && path !== '/compare');
    expect(lists.map(({ path }) => path)).toEqual(['/scans', '/findings', '/scanners', '/queue']);
    for (const { path } of lists) {
      const text = await (await send(keys.blue, `/api${path}`)).text();
      for (const secret of [...scans, 'acme', '10.9.0.', 'secret', 'ours']) expect(text, path).not.toContain(secret);
    }
    const sum = z.object({ total: z.number() }).parse(await (await send(keys.blue, '/api/scans')).json());
    expect(sum.total).toBe(0);
  });

  it('cannot take over a session, nor tell it from one that never was', async () => {
    const { keys, send } = await openServer();
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    };
    const begun = await send(keys.acme, '/mcp', { method: 'POST', body: JSON.stringify(initialize) });
    await begun.text();
    const session = begun.headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    const list = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    const unknown = crypto.randomUUID();
    for (const method of ['POST', 'GET', 'DELETE']) {
      const ask = async (key: string, id: string) =>
        told(
          await send(key, '/mcp', {
            method,
            ...(method === 'POST' ? { body: list } : {}),
            headers: { 'mcp-session-id': id },
          }),
          id,
        );
      expect(await ask(keys.blue, session), method).toBe(await ask(keys.blue, unknown));
    }
    const own = await send(keys.acme, '/mcp', { method: 'POST', body: list, headers: { 'mcp-session-id': session } });
    expect(own.status).toBe(200);
    await own.text();
  });

  it('reads no resource and gets no tool to speak of it, over MCP', async () => {
    const { lab, keys, send } = await openServer();
    const { scans, cursors } = await populate(lab);
    const rpc = async (key: string, method: string, params: object, id: string): Promise<string> =>
      told(
        await send(key, '/mcp', { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) }),
        id,
      );
    for (const id of scans) {
      const unknown = newScanId();
      const walks = (named: string): readonly [string, object][] => [
        ['tools/call', { name: 'get_scan_status', arguments: { scan_id: named } }],
        ['tools/call', { name: 'get_scan_results', arguments: { scan_id: named } }],
        ['resources/read', { uri: `scan://${named}` }],
        ['resources/read', { uri: `scan://${named}/findings` }],
        ['resources/read', { uri: `scan://${named}/report/json` }],
        ['resources/subscribe', { uri: `scan://${named}` }],
        ['tasks/get', { taskId: named }],
        ['tasks/result', { taskId: named }],
        ['tasks/cancel', { taskId: named }],
        ...completions(named),
      ];
      const asked = walks(unknown);
      for (const [index, [method, params]] of walks(id).entries()) {
        const [, like = {}] = asked[index] ?? [];
        expect(await rpc(keys.blue, method, params, id), method).toBe(await rpc(keys.blue, method, like, unknown));
      }
    }
    const [first = ''] = scans;
    for (const method of ['tasks/list', 'resources/list']) {
      const unknown = unknownCursor();
      const { list_scans: cursor } = cursors;
      const one = await rpc(keys.blue, method, { cursor }, cursor);
      expect(one, method).toBe(await rpc(keys.blue, method, { cursor: unknown }, unknown));
      expect(one, method).toContain('does not belong to this list');
      expect(await rpc(keys.acme, method, { cursor }, cursor), method).not.toContain('does not belong to this list');
    }
    // What takes no name at all tells the other tenant of nothing, and the owner of its scans.
    const [queued = ''] = scans.slice(3);
    const open: readonly [string, object][] = [['tasks/list', {}], ['resources/list', {}], ...completions('scan_')];
    for (const [method, params] of open) {
      const text = await rpc(keys.blue, method, params, 'none');
      for (const secret of [...scans, 'acme', '10.9.0.', 'secret']) expect(text, method).not.toContain(secret);
      expect(await rpc(keys.acme, method, params, 'none'), method).toContain(queued);
    }
    // Nor did its attempts to cancel do anything.
    const still = await rpc(
      keys.acme,
      'tools/call',
      { name: 'get_scan_status', arguments: { scan_id: queued } },
      queued,
    );
    expect(still).toContain('queued');
    const own = await rpc(keys.acme, 'tools/call', { name: 'get_scan_status', arguments: { scan_id: first } }, first);
    expect(own).toContain('completed');
  });

  it('is not let in without a key, nor with one that was revoked, wherever it knocks', async () => {
    const { lab, keys, send } = await openServer();
    const prefix = keys.blue.slice(0, 12);
    expect(await lab.app.keys.revoke(prefix)).toBe(true);
    for (const route of ROUTES) {
      const init = { method: route.method.toUpperCase(), ...(route.method === 'post' ? { body: '{}' } : {}) };
      expect((await send(keys.blue, pathOf(route, newScanId()), init)).status, route.path).toBe(401);
    }
    expect((await send('', '/mcp', { method: 'POST', body: '{}' })).status).toBe(401);
  });
});
