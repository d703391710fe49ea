import { once } from 'node:events';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { INITIALIZE, MCP_HEADERS, mcpLab, type McpLab } from './mcp-lab.ts';

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' } as const;
const call = (name: string, args: object = {}, id: number = 2, meta: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args, _meta: meta },
});
const LOCAL_SCAN = call('run_untrusted_scan', { targets: ['127.0.0.1:1'] });
const TWO = authenticatorOf({
  'key-a': callerNamed('key:a', { tenant: 'red' }),
  'key-b': callerNamed('key:b', { tenant: 'blue' }),
  'key-c': callerNamed('key:c', { tenant: 'red' }),
});
const as = (key: string) => ({ authorization: `Bearer ${key}` });

const RpcError = z.object({ error: z.object({ code: z.number(), message: z.string() }) });
const Called = z.object({ result: z.object({ structuredContent: z.record(z.string(), z.unknown()) }) });

/** Reads it to its end: undici fails when a server closes under an answer nobody reads. */
async function statusOf(response: Response): Promise<number> {
  await response.text();
  return response.status;
}

async function refusal(response: Response): Promise<[number, string]> {
  return [response.status, RpcError.parse(await response.json()).error.message];
}

/** The messages of an event stream that ends, or the one of a JSON answer. */
async function messages(response: Response): Promise<unknown[]> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/json')) return [JSON.parse(text)];
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, json]) => JSON.parse(json ?? ''));
}

async function structured(response: Response): Promise<Record<string, unknown>> {
  const found = (await messages(response)).map((message) => Called.safeParse(message));
  for (const { success, data } of found) if (success) return data.result.structuredContent;
  throw new Error('no structured answer');
}

const listen = (lab: McpLab, sessionId: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(`${lab.url}/mcp`, {
    headers: { accept: 'text/event-stream', 'mcp-session-id': sessionId, ...headers },
    ...(signal ? { signal } : {}),
  });

describe('a session', () => {
  it('serves a real client, from its handshake to its end', async () => {
    const lab = await mcpLab();
    const { client, transport } = await lab.connect();
    expect(transport.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('run_untrusted_scan');
    const scan = await client.callTool({ name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1:1'] } });
    expect(scan.structuredContent).toMatchObject({ state: 'queued' });
    expect(lab.endpoint.sessionCount()).toBe(1);
    const sessionId = transport.sessionId ?? '';
    await transport.terminateSession();
    expect(lab.endpoint.sessionCount()).toBe(0);
    expect(await refusal(await lab.post(LIST, { 'mcp-session-id': sessionId }))).toEqual([404, 'Session not found']);
  });

  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('speaks protocol %s', async (protocolVersion) => {
    const lab = await mcpLab();
    const response = await lab.post({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion } });
    expect(await messages(response)).toContainEqual(
      expect.objectContaining({ result: expect.objectContaining({ protocolVersion }) }),
    );
  });

  it('belongs to the caller who began it: to everybody else its id is an unknown one', async () => {
    const lab = await mcpLab({ authenticator: TWO });
    const id = await lab.begin(as('key-a'));
    const unknown = '00000000-0000-4000-8000-000000000000';
    const asked = await Promise.all(
      [
        ['key-b', id],
        ['key-c', id],
        ['key-a', unknown],
      ].map(async ([key = '', sessionId = '']) => {
        const response = await lab.post(LIST, {
          ...as(key),
          'mcp-session-id': sessionId,
          'x-trace-id': 'a'.repeat(32),
        });
        return [response.status, await response.text()];
      }),
    );
    expect(asked[0]).toEqual(asked[2]);
    expect(asked[1]).toEqual(asked[2]);
    expect(asked[2]?.[0]).toBe(404);
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...as('key-b'), accept: 'text/event-stream', 'mcp-session-id': id };
      const response = await fetch(`${lab.url}/mcp`, { method, headers });
      expect(await refusal(response)).toEqual([404, 'Session not found']);
    }
    const own = await lab.post(LIST, { ...as('key-a'), 'mcp-session-id': id });
    expect(await statusOf(own)).toBe(200);
  });

  it('is asked for its caller anew with each request: a scan is of the tenant whose key came with it', async () => {
    const policy = "allow: [{ target: localhost, tenants: ['*'] }]\n";
    const lab = await mcpLab({ authenticator: TWO, policy });
    const [red, blue] = [await lab.begin(as('key-a')), await lab.begin(as('key-b'))];
    const scan = await structured(await lab.post(LOCAL_SCAN, { ...as('key-a'), 'mcp-session-id': red }));
    const ask = call('get_scan_status', { scan_id: scan['scan_id'] });
    const own = await structured(await lab.post(ask, { ...as('key-a'), 'mcp-session-id': red }));
    expect(own['state']).toBe('queued');
    const foreign = await (await lab.post(ask, { ...as('key-b'), 'mcp-session-id': blue })).text();
    expect(foreign).toContain('scan_not_found');
  });

  it('lets nobody in whom the authenticator does not know, and says how to become known', async () => {
    const lab = await mcpLab({ authenticator: TWO });
    const response = await lab.post(INITIALIZE);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(lab.endpoint.sessionCount()).toBe(0);
  });

  it('is resumed after a lost connection: what was sent meanwhile comes once, in order', async () => {
    const lab = await mcpLab();
    const id = await lab.begin();
    const version = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': id };
    const gone = new AbortController();
    const scan = await structured(await lab.post(LOCAL_SCAN, version));
    const waiting = await fetch(`${lab.url}/mcp`, {
      method: 'POST',
      headers: { ...MCP_HEADERS, ...version },
      body: JSON.stringify(call('wait_for_scan', { scan_id: scan['scan_id'], wait_seconds: 50 }, 7)),
      signal: gone.signal,
    });
    const reader = waiting.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    const eventId = /^id: (.+)$/m.exec(first)?.[1] ?? '';
    expect(first).toMatch(/^retry: \d+$/m);
    gone.abort();
    const cancelled = await structured(await lab.post(call('cancel_scan', { scan_id: scan['scan_id'] }, 8), version));
    expect(cancelled['state']).toBe('cancelled');
    const stop = new AbortController();
    const resumed = await listen(lab, id, { ...version, 'last-event-id': eventId }, stop.signal);
    expect(resumed.status).toBe(200);
    let text = '';
    for await (const chunk of resumed.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"id":7')) break;
    }
    stop.abort();
    expect(text.match(/"id":7/g)).toHaveLength(1);
    expect(text).toContain('"wait_timed_out":false');
  });

  it('ends the answer of a request that the client cancelled, so that it does not count as open for ever', async () => {
    const lab = await mcpLab();
    const version = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': await lab.begin() };
    const scan = await structured(await lab.post(LOCAL_SCAN, version));
    const waiting = await lab.post(call('wait_for_scan', { scan_id: scan['scan_id'], wait_seconds: 50 }, 7), version);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
    expect(await statusOf(await lab.post(cancel, version))).toBe(202);
    const told = { jsonrpc: '2.0', id: 7, error: { code: -32_800, message: 'The request was cancelled.' } };
    expect(await messages(waiting)).toEqual([told]);
    await expect.poll(() => lab.inFlight()).toBe(0);
    expect(await statusOf(await lab.post(cancel, version))).toBe(202);
  });

  it('keeps no stream open for a client that comes back to an answer that is whole', async () => {
    const lab = await mcpLab();
    const id = await lab.begin();
    const version = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': id };
    const unknown = { jsonrpc: '2.0', id: 5, method: 'resources/read', params: { uri: 'scan://scan_none' } };
    const sent = await (await lab.post(unknown, version)).text();
    const [begun = '', answered = ''] = [...sent.matchAll(/^id: (.+)$/gm)].map(([, eventId]) => eventId);
    const lost = await listen(lab, id, { ...version, 'last-event-id': begun });
    expect([lost.status, lost.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await messages(lost)).toEqual([expect.objectContaining({ id: 5, error: expect.anything() })]);
    // Clients of the SDK come back after every answer that is an error.
    expect(await statusOf(await listen(lab, id, { ...version, 'last-event-id': answered }))).toBe(204);
  });

  it('waits for the other answers of a batch', async () => {
    const lab = await mcpLab();
    const id = await lab.begin();
    const version = { 'mcp-protocol-version': '2025-03-26', 'mcp-session-id': id };
    const scan = await structured(await lab.post(LOCAL_SCAN, version));
    const wait = call('wait_for_scan', { scan_id: scan['scan_id'], wait_seconds: 50 }, 7);
    const gone = new AbortController();
    const batch = await fetch(`${lab.url}/mcp`, {
      method: 'POST',
      headers: { ...MCP_HEADERS, ...version },
      body: JSON.stringify([{ jsonrpc: '2.0', id: 6, method: 'ping' }, wait]),
      signal: gone.signal,
    });
    const first = new TextDecoder().decode((await batch.body?.getReader().read())?.value);
    expect(first).toContain('"id":6');
    gone.abort();
    await expect.poll(() => lab.inFlight()).toBe(0);
    const resumed = await listen(lab, id, { ...version, 'last-event-id': /^id: (.+)$/m.exec(first)?.[1] ?? '' });
    expect(resumed.status).toBe(200);
    await structured(await lab.post(call('cancel_scan', { scan_id: scan['scan_id'] }, 8), version));
    const text = new TextDecoder().decode((await resumed.body?.getReader().read())?.value);
    expect(text).toContain('"id":7');
  });

  it('begins with little: what a client says of itself is kept as long as its session', async () => {
    const lab = await mcpLab();
    const beginWith = (params: object) => lab.post({ ...INITIALIZE, params: { ...INITIALIZE.params, ...params } });
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, {}]));
    for (const params of [
      { capabilities: { experimental: many } },
      { clientInfo: { name: 'x'.repeat(40_000), version: '1' } },
    ]) {
      const [status, message] = await refusal(await beginWith(params));
      expect(status).toBe(400);
      expect(message).toContain('initialize');
    }
    expect(lab.endpoint.sessionCount()).toBe(0);
    const icons = [{ src: `data:image/png;base64,${'A'.repeat(20_000)}` }];
    expect(await statusOf(await beginWith({ clientInfo: { name: 'lab', version: '1', icons } }))).toBe(200);
  });

  it('gives no place in the stream of another session', async () => {
    const lab = await mcpLab();
    const [one, other] = [await lab.begin(), await lab.begin()];
    const version = { 'mcp-protocol-version': '2025-11-25' };
    const sent = await (await lab.post(LIST, { ...version, 'mcp-session-id': one })).text();
    const eventId = /^id: (.+)$/m.exec(sent)?.[1] ?? '';
    expect(eventId).not.toBe('');
    const response = await listen(lab, other, { ...version, 'last-event-id': eventId });
    expect(await statusOf(response)).toBe(400);
  });
});

describe('the number of sessions', () => {
  it('is bounded per tenant: more are refused while all are in use, with the time to wait', async () => {
    const lab = await mcpLab({ authenticator: TWO, settings: { max_sessions_per_tenant: 2 } });
    await lab.begin(as('key-a'));
    await lab.begin(as('key-c'));
    const response = await lab.post(INITIALIZE, as('key-a'));
    expect(await statusOf(response)).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    await lab.begin(as('key-b'));
  });

  it('takes the one that lies idle longest to make room, never one that is in use', async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now };
    const lab = await mcpLab({ clock, settings: { max_sessions_per_tenant: 2 } });
    const listener = await lab.begin();
    const stream = await listen(lab, listener);
    const idle = await lab.begin();
    now = 120_000;
    const fresh = await lab.begin();
    expect(await statusOf(await lab.post(LIST, { 'mcp-session-id': idle }))).toBe(404);
    for (const id of [listener, fresh])
      expect(await statusOf(await lab.post(LIST, { 'mcp-session-id': id }))).toBe(200);
    await stream.body?.cancel();
  });

  it('is bounded in all: the tenant with the most sessions makes room', async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now };
    const lab = await mcpLab({ authenticator: TWO, clock, settings: { max_sessions: 3 } });
    const blue = await lab.begin(as('key-b'));
    now = 1;
    const red = [await lab.begin(as('key-a')), await lab.begin(as('key-a'))];
    now = 120_000;
    await lab.begin(as('key-b'));
    expect(await statusOf(await lab.post(LIST, { ...as('key-b'), 'mcp-session-id': blue }))).toBe(200);
    expect(await statusOf(await lab.post(LIST, { ...as('key-a'), 'mcp-session-id': red[0] ?? '' }))).toBe(404);
  });

  it('falls when sessions are not used for long enough', async () => {
    const lab = await mcpLab({ settings: { session_idle_seconds: 1 } });
    const id = await lab.begin();
    await expect.poll(() => lab.endpoint.sessionCount()).toBe(0);
    expect(await statusOf(await lab.post(LIST, { 'mcp-session-id': id }))).toBe(404);
  });
});

describe('a request that stands alone', () => {
  it('is answered as JSON by any server, without a session', async () => {
    const lab = await mcpLab();
    const response = await lab.post(LOCAL_SCAN);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    const scan = await structured(response);
    const status = await structured(await lab.post(call('get_scan_status', { scan_id: scan['scan_id'] })));
    expect(status['state']).toBe('queued');
    expect(lab.endpoint.sessionCount()).toBe(0);
  });

  it('is all there is in stateless mode, which a real client gets along with', async () => {
    const lab = await mcpLab({ settings: { mcp_mode: 'stateless' } });
    const { client, transport } = await lab.connect();
    expect(transport.sessionId).toBeUndefined();
    const answer = await client.callTool({ name: 'list_scanners', arguments: {} });
    expect(answer.isError).toBeFalsy();
    const listening = await fetch(`${lab.url}/mcp`, { headers: { accept: 'text/event-stream' } });
    expect([await statusOf(listening), listening.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await statusOf(await lab.post(LIST, { 'mcp-session-id': 'x' }))).toBe(404);
  });

  it('is refused in stateful mode', async () => {
    const lab = await mcpLab({ settings: { mcp_mode: 'stateful' } });
    expect(await refusal(await lab.post(LIST))).toEqual([400, 'Mcp-Session-Id header is required']);
  });

  it('stops its wait when the client goes away', async () => {
    const lab = await mcpLab();
    const scan = await structured(await lab.post(LOCAL_SCAN));
    const gone = new AbortController();
    const waiting = fetch(`${lab.url}/mcp`, {
      method: 'POST',
      headers: MCP_HEADERS,
      body: JSON.stringify(call('wait_for_scan', { scan_id: scan['scan_id'], wait_seconds: 50 })),
      signal: gone.signal,
    });
    const waits = lab.app.queue.waitForEvent.bind(lab.app.queue);
    const seen = new EventTarget();
    const signals: AbortSignal[] = [];
    Object.assign(lab.app.queue, {
      waitForEvent: (...args: Parameters<typeof waits>) => {
        signals.push(args[3]);
        seen.dispatchEvent(new Event('waits'));
        return waits(...args);
      },
    });
    if (signals.length === 0) await once(seen, 'waits');
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(() => signals.every(({ aborted }) => aborted)).toBe(true);
  });
});

describe('the trace of a call', () => {
  const trace = 'ab'.repeat(16);

  it.each([
    ['the header traceparent', { traceparent: `00-${trace}-00f067aa0ba902b7-01` }, {}],
    ['the header X-Trace-Id', { 'x-trace-id': trace }, {}],
    ['the message itself', { 'x-trace-id': 'cd'.repeat(16) }, { traceparent: `00-${trace}-00f067aa0ba902b7-01` }],
  ])('comes from %s, and is in the answer and the scan', async (_from, headers, meta) => {
    const lab = await mcpLab();
    const body = call('run_untrusted_scan', { targets: ['127.0.0.1:1'] }, 3, meta);
    const response = await lab.post(body, headers);
    expect(response.headers.get('x-trace-id')).toBe(trace);
    expect((await structured(response))['trace_id']).toBe(trace);
  });

  it('is made where none came, or none that is one', async () => {
    const lab = await mcpLab();
    const response = await lab.post(LOCAL_SCAN, { 'x-trace-id': '0'.repeat(32), traceparent: 'none' });
    const made = response.headers.get('x-trace-id');
    expect(made).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect((await structured(response))['trace_id']).toBe(made);
  });
});

describe('a server that has to go', () => {
  it('tells listening clients when to come back, and lets a wait answer what it knows', async () => {
    const lab = await mcpLab();
    const id = await lab.begin();
    const stream = await listen(lab, id);
    const scan = await structured(await lab.post(LOCAL_SCAN, { 'mcp-session-id': id }));
    const wait = call('wait_for_scan', { scan_id: scan['scan_id'], wait_seconds: 50 });
    const waiting = lab.post(wait, { 'mcp-session-id': id });
    lab.closing.abort();
    lab.endpoint.release();
    expect(await stream.text()).toMatch(/retry: \d+\n\n$/);
    expect(await structured(await waiting)).toMatchObject({ state: 'queued', wait_timed_out: true });
    const late = await lab.post(LIST);
    expect([await statusOf(late), late.headers.get('connection')]).toEqual([200, 'close']);
  });
});
