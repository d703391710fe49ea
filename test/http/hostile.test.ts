import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { INITIALIZE, MCP_HEADERS, mcpLab, type McpLab } from './mcp-lab.ts';
import { rawHttp, statusIn } from './raw-http.ts';

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' } as const;
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' } as const;
const faults: unknown[] = [];
const note = (error: unknown): void => void faults.push(error);

beforeAll(() => void process.on('uncaughtException', note).on('unhandledRejection', note));
afterAll(() => void process.off('uncaughtException', note).off('unhandledRejection', note));

/** A lab of which it is checked at the end that it still serves, and that nothing was left to chance. */
async function lab(settings: Parameters<typeof mcpLab>[0] = {}): Promise<McpLab> {
  const made = await mcpLab(settings);
  onTestFinished(() => expect(faults).toEqual([]));
  onTestFinished(async () => {
    const response = await made.post(PING);
    expect([response.status, await response.json()]).toEqual([200, { jsonrpc: '2.0', id: 1, result: {} }]);
  });
  return made;
}

const Refused = z.object({ error: z.object({ code: z.number(), message: z.string() }), id: z.null() });

/** Status and JSON-RPC code. */
async function refusal(response: Response): Promise<[number, number]> {
  const text = await response.text();
  expect(text).not.toMatch(/node_modules|at \w+ \(|\.ts:\d/);
  return [response.status, Refused.parse(JSON.parse(text)).error.code];
}

const post = (host: string, headers: readonly string[], body: string | Uint8Array): (string | Uint8Array)[] => [
  [
    'POST /mcp HTTP/1.1',
    `Host: ${host}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    ...headers,
    '',
    '',
  ].join('\r\n'),
  body,
];

describe('a body', () => {
  it('that is too large is refused, whether its length was said or not', async () => {
    const { post: send, port } = await lab({ settings: { max_body_kb: 64 } });
    const large = JSON.stringify({ ...LIST, params: { padding: 'x'.repeat(70_000) } });
    expect((await refusal(await send(large)))[0]).toBe(413);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const chunked = post(`localhost:${port}`, ['Transfer-Encoding: chunked'], chunk.repeat(3));
    expect(statusIn(await rawHttp(port, chunked))).toBe(413);
    const fits = JSON.stringify({ ...LIST, params: { padding: 'x'.repeat(60_000) } });
    expect((await send(fits)).status).toBe(200);
  });

  it('that is said to be huge is refused before it comes', async () => {
    const { port } = await lab();
    const answer = await rawHttp(port, post(`localhost:${port}`, ['Content-Length: 99999999999'], '{'));
    expect(statusIn(answer)).toBe(413);
  });

  it('that comes too slowly, or never, ends with 408', async () => {
    const { port } = await lab({ settings: { request_timeout_seconds: 0.5, header_timeout_seconds: 0.5 } });
    const host = `localhost:${port}`;
    const begun = await rawHttp(port, post(host, ['Content-Length: 100'], '{"jsonrpc"'), { idleMs: 20_000 });
    expect(statusIn(begun)).toBe(408);
    const headless = await rawHttp(port, [`POST /mcp HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `], { idleMs: 20_000 });
    expect(statusIn(headless)).toBe(408);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['half a message', '{"jsonrpc":"2.0","id":1'],
    ['two messages', '{"jsonrpc":"2.0"}{"jsonrpc":"2.0"}'],
    ['a NUL', '\u0000'],
    ['a byte order mark', '\uFEFF'],
    ['a number that is none', '{"jsonrpc":"2.0","id":NaN}'],
  ])('that is %s is a parse error', async (_what, body) => {
    const { post: send } = await lab();
    expect(await refusal(await send(body))).toEqual([400, -32_700]);
  });

  it.each([
    ['null', 'null'],
    ['a text', '"tools/list"'],
    ['a number', '1'],
    ['an empty object', '{}'],
    ['no version', '{"id":1,"method":"tools/list"}'],
    ['a wrong version', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}'],
    ['an id that is none', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}'],
    ['a method that is none', '{"jsonrpc":"2.0","id":1,"method":{"a":1}}'],
    ['a batch in a batch', '[[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]]'],
    ['deep lists', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ])('that is %s is no message', async (_what, body) => {
    const { post: send, begin } = await lab();
    expect((await refusal(await send(body)))[0]).toBe(400);
    expect((await refusal(await send(body, { 'mcp-session-id': await begin() })))[0]).toBe(400);
  });

  it('with __proto__ in it changes no object, and is refused where it stands for an argument', async () => {
    const { post: send } = await lab();
    const call =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"polluted":1},' +
      '"params":{"name":"list_scans","arguments":{"__proto__":{"polluted":1}},"__proto__":{"polluted":1}}}';
    const response = await send(call);
    expect(await response.text()).toMatch(/__proto__|Parse error/);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('deep inside an argument is refused by the tool, not by a stack that overflows', async () => {
    const { post: send } = await lab();
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const response = await send(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_scans","arguments":{"target":${deep}}}}`,
    );
    const text = await response.text();
    expect(response.status).toBeLessThan(500);
    expect(text).toMatch(/invalid_request|error/);
    expect(text).not.toMatch(/call stack/i);
  });
});

describe('bytes that are no UTF-8', () => {
  it('are no JSON', async () => {
    const { port } = await lab();
    const headers = ['Content-Length: 4', 'Connection: close'];
    const answer = await rawHttp(port, post(`localhost:${port}`, headers, new Uint8Array([0x22, 0xc3, 0x28, 0x22])));
    expect(statusIn(answer)).toBe(400);
    expect(answer).toContain('-32700');
  });
});

describe('the kind of a body', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'application/json-patch+json',
    'application/json; charset=utf-16',
    '',
  ])('%s gets 415', async (type) => {
    const { post: send } = await lab();
    expect((await refusal(await send(JSON.stringify(LIST), { 'content-type': type })))[0]).toBe(415);
  });

  it('is not compressed: a small body would become a large one', async () => {
    const { url } = await lab();
    const body = new Uint8Array(gzipSync(Buffer.alloc(50 << 20, ' ')));
    const headers = { ...MCP_HEADERS, 'content-encoding': 'gzip' };
    const response = await fetch(`${url}/mcp`, { method: 'POST', headers, body });
    expect((await refusal(response))[0]).toBe(415);
  });

  it.each(['application/json', 'text/html', ''])(
    'that a client takes must be both of the two, not %s',
    async (accept) => {
      const { post: send } = await lab();
      expect((await refusal(await send(LIST, { accept })))[0]).toBe(406);
    },
  );
});

describe('a batch', () => {
  it('holds few messages: one more than that is refused whole, with nothing done', async () => {
    const { post: send, begin, app } = await lab();
    const run = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1:1'] } },
    });
    const session = { 'mcp-session-id': await begin() };
    for (const size of [17, 5_000]) {
      const batch = Array.from({ length: size }, (_, id) => run(id));
      for (const headers of [{}, session]) expect((await refusal(await send(batch, headers)))[0]).toBe(400);
    }
    expect(await app.queue.liveCount()).toBe(0);
  });

  it('of allowed size is answered whole', async () => {
    const { post: send } = await lab();
    const response = await send(Array.from({ length: 16 }, (_, id) => ({ ...PING, id })));
    expect(z.array(z.object({ id: z.number() })).parse(await response.json())).toHaveLength(16);
  });

  it('begins no session, and an empty one is no message', async () => {
    const { post: send, endpoint } = await lab();
    expect((await refusal(await send([INITIALIZE, LIST])))[0]).toBe(400);
    expect((await refusal(await send([])))[0]).toBe(400);
    expect(endpoint.sessionCount()).toBe(0);
  });
});

describe('headers', () => {
  it('that are too long get 431', async () => {
    const { port } = await lab();
    const answer = await rawHttp(port, post(`localhost:${port}`, [`X-Long: ${'x'.repeat(100_000)}`], ''));
    expect(statusIn(answer)).toBe(431);
  });

  it('in a flood get 431 or are not looked at', async () => {
    const { port } = await lab();
    const flood = Array.from({ length: 50_000 }, (_, index) => `X-${index}: 1`);
    expect(statusIn(await rawHttp(port, post(`localhost:${port}`, flood, '')))).toBe(431);
  });

  it('that could split a request in two are refused', async () => {
    const { port } = await lab();
    const host = `localhost:${port}`;
    const both = post(host, ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n');
    expect(statusIn(await rawHttp(port, both))).toBe(400);
    const lengths = post(host, ['Content-Length: 5', 'Content-Length: 6'], 'hello');
    expect(statusIn(await rawHttp(port, lengths))).toBe(400);
    expect(statusIn(await rawHttp(port, ['\u0016\u0003\u0001\u0002\u0000 not HTTP at all\r\n\r\n']))).toBe(400);
  });
});

describe('a session id', () => {
  const FORGED = [
    '00000000-0000-4000-8000-000000000000',
    'x',
    'x'.repeat(8_000),
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '%00',
    'null',
    '" or 1=1 --',
  ];

  it('that was never given out answers like one that has ended', async () => {
    const made = await lab();
    const ended = await made.begin();
    const gone = await fetch(`${made.url}/mcp`, { method: 'DELETE', headers: { 'mcp-session-id': ended } });
    expect(gone.status).toBe(200);
    const trace = { 'x-trace-id': 'a'.repeat(32) };
    const like = await (await made.post(LIST, { ...trace, 'mcp-session-id': ended })).text();
    for (const id of FORGED) {
      const response = await made.post(LIST, { ...trace, 'mcp-session-id': id });
      expect([id, response.status, await response.text()]).toEqual([id, 404, like]);
      for (const method of ['GET', 'DELETE']) {
        const headers = { accept: 'text/event-stream', 'mcp-session-id': id };
        expect(await refusal(await fetch(`${made.url}/mcp`, { method, headers }))).toEqual([404, -32_001]);
      }
    }
  });

  it('must be one the server made: a client cannot choose its own', async () => {
    const { post: send, endpoint } = await lab();
    const response = await send(INITIALIZE, { 'mcp-session-id': 'mine' });
    expect((await refusal(response))[0]).toBe(404);
    expect(endpoint.sessionCount()).toBe(0);
  });
});

describe('other requests', () => {
  it.each(['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND'])('%s is not allowed', async (method) => {
    const { url } = await lab();
    const response = await fetch(`${url}/mcp`, { method });
    await response.text();
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
  });

  it('with a protocol nobody speaks get 400', async () => {
    const { post: send, begin } = await lab();
    const headers = { 'mcp-session-id': await begin(), 'mcp-protocol-version': '1999-01-01' };
    expect((await refusal(await send(LIST, headers)))[0]).toBe(400);
  });

  it('that a client gives up half way leave nothing open', async () => {
    const { post: send, port, endpoint } = await lab();
    const host = `localhost:${port}`;
    const half = post(host, ['Content-Length: 1000'], '{"jsonrpc"');
    await Promise.all(Array.from({ length: 50 }, () => rawHttp(port, half, { idleMs: 50 })));
    expect(endpoint.sessionCount()).toBe(0);
    expect((await send(LIST)).status).toBe(200);
  });

  it('more than a session may have open at once get 429', async () => {
    const made = await lab();
    const id = await made.begin();
    const call = { jsonrpc: '2.0', method: 'tools/call' };
    const run = { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1:1'] } };
    const queued = await (await made.post({ ...call, id: 1, params: run })).json();
    const { scan_id: scanId } = z
      .object({ result: z.object({ structuredContent: z.object({ scan_id: z.string() }) }) })
      .parse(queued).result.structuredContent;
    const stop = new AbortController();
    const wait = { name: 'wait_for_scan', arguments: { scan_id: scanId, wait_seconds: 50 } };
    const statuses = await Promise.all(
      Array.from({ length: 80 }, async (_, index) => {
        const response = await fetch(`${made.url}/mcp`, {
          method: 'POST',
          headers: { ...MCP_HEADERS, 'mcp-session-id': id },
          body: JSON.stringify({ ...call, id: index + 2, params: wait }),
          signal: stop.signal,
        });
        return response.status;
      }),
    );
    stop.abort();
    expect(statuses.filter((status) => status === 429)).toHaveLength(16);
    expect(statuses.filter((status) => status === 200)).toHaveLength(64);
  });
});

describe('a thousand sessions', () => {
  it('are no more than the bound; those over it are told when to come back', async () => {
    const made = await lab({ settings: { max_sessions_per_tenant: 300 } });
    const statuses = new Map<number, number>();
    for (let round = 0; round < 20; round += 1) {
      const begun = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const response = await made.post(INITIALIZE);
          await response.text();
          return response;
        }),
      );
      for (const { status, headers } of begun) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ 200: 300, 429: 700 });
    expect(made.endpoint.sessionCount()).toBe(300);
  });
});
