import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { MCP_HEADERS, mcpLab, type McpLab } from './mcp-lab.ts';

const TWO = authenticatorOf({
  'key-a': callerNamed('key:a', { tenant: 'red' }),
  'key-b': callerNamed('key:b', { tenant: 'blue' }),
});
const as = (key: string) => ({ authorization: `Bearer ${key}` });
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const POLICY = "allow: [{ target: 127.0.0.1, tenants: ['*'] }]\n";

const Started = z.object({ result: z.object({ structuredContent: z.object({ scan_id: z.string() }) }) });

async function scanOf(lab: McpLab, key: string): Promise<string> {
  const params = { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1'], scanner_pool: 'baseline' } };
  const answer = await lab.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, as(key));
  return Started.parse(await answer.json()).result.structuredContent.scan_id;
}

/** Requests that wait for a scan which nothing runs. @returns lets them go */
async function hold(lab: McpLab, key: string, count: number, padding = 0): Promise<() => Promise<void>> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const scanId = await scanOf(lab, key);
  const params = { name: 'wait_for_scan', arguments: { scan_id: scanId, wait_seconds: 50 } };
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }) + ' '.repeat(padding);
  const request = { method: 'POST', headers: { ...MCP_HEADERS, ...as(key) }, body: text, signal: over.signal };
  const answers = Array.from({ length: count }, () => fetch(`${lab.url}/mcp`, request).catch(() => undefined));
  await expect.poll(() => lab.inFlight()).toBe(count);
  return async () => {
    over.abort();
    await Promise.all(answers);
    await expect.poll(() => lab.inFlight()).toBe(0);
  };
}

const statusOf = async (response: Response) => {
  await response.text();
  return [response.status, response.headers.get('retry-after')];
};

describe('requests in flight at /mcp', () => {
  it('are bounded for each tenant, who then is told when to come back', async () => {
    const lab = await mcpLab({ authenticator: TWO, policy: POLICY, bounds: { perTenant: 3 } });
    const letGo = await hold(lab, 'key-a', 3);
    expect(await statusOf(await lab.post(LIST, as('key-a')))).toEqual([429, '2']);
    expect(await statusOf(await lab.post(LIST, as('key-b')))).toEqual([200, null]);
    await letGo();
    expect(await statusOf(await lab.post(LIST, as('key-a')))).toEqual([200, null]);
  });

  it('are bounded over all tenants', async () => {
    const lab = await mcpLab({ authenticator: TWO, policy: POLICY, bounds: { inAll: 2 } });
    await hold(lab, 'key-a', 2);
    expect(await statusOf(await lab.post(LIST, as('key-b')))).toEqual([429, '2']);
  });

  it('are bounded by the size of their bodies; small ones always pass', async () => {
    const large = 900 * 1024;
    const bounds = { bodyBytes: 4 * 1024 * 1024 };
    const lab = await mcpLab({ authenticator: TWO, policy: POLICY, bounds });
    const letGo = await hold(lab, 'key-a', 2, large);
    const padded = JSON.stringify(LIST) + ' '.repeat(large);
    expect(await statusOf(await lab.post(padded, as('key-a')))).toEqual([429, '2']);
    expect(await statusOf(await lab.post(LIST, as('key-a')))).toEqual([200, null]);
    expect(await statusOf(await lab.post(padded, as('key-b')))).toEqual([200, null]);
    await letGo();
    expect(await statusOf(await lab.post(padded, as('key-a')))).toEqual([200, null]);
  });

  it('give back what they took up, also when they were refused', async () => {
    const lab = await mcpLab({ bounds: { perTenant: 1, bodyBytes: 4 * 1024 * 1024 } });
    for (let i = 0; i < 5; i += 1) {
      expect(await statusOf(await lab.post('{ no json' + ' '.repeat(900_000)))).toEqual([400, null]);
      await expect.poll(() => lab.inFlight()).toBe(0);
      expect(await statusOf(await lab.post(LIST))).toEqual([200, null]);
      await expect.poll(() => lab.inFlight()).toBe(0);
    }
  });
});

describe('_meta', () => {
  const withMeta = (meta: unknown) => ({ ...LIST, params: { _meta: meta } });
  it.each([
    ['many objects', { x: Array.from({ length: 5_000 }, () => ({})) }],
    ['a long text', { x: 'y'.repeat(5_000) }],
    ['a long key', { ['y'.repeat(5_000)]: 1 }],
    ['great depth', JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)],
  ])('is refused with %s, also in a batch', async (_what, meta) => {
    const lab = await mcpLab();
    const text = JSON.stringify(LIST);
    const body = `${text.slice(0, -1)},"params":{"_meta":${depthSafe(meta)}}}`;
    expect((await statusOf(await lab.post(body)))[0]).toBe(400);
    expect((await statusOf(await lab.post(`[${text},${body}]`)))[0]).toBe(400);
  });

  it('may hold what clients send', async () => {
    const lab = await mcpLab();
    const meta = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, baggage: 'x'.repeat(2_000) };
    expect((await statusOf(await lab.post(withMeta(meta))))[0]).toBe(200);
  });
});

const depthSafe = (value: unknown): string =>
  Array.isArray(value) ? `${'['.repeat(5_000)}${']'.repeat(5_000)}` : JSON.stringify(value);

describe('tasks/result', () => {
  it('answers what is known when the server goes down', async () => {
    const lab = await mcpLab({ authenticator: TWO, policy: POLICY });
    const taskId = await scanOf(lab, 'key-a');
    const answer = lab.post({ jsonrpc: '2.0', id: 1, method: 'tasks/result', params: { taskId } }, as('key-a'));
    await expect.poll(() => lab.inFlight()).toBe(1);
    lab.closing.abort();
    expect(await (await answer).json()).toMatchObject({
      result: {
        structuredContent: { scan_id: taskId, state: 'queued' },
        _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
      },
    });
  });
});
