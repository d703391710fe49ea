import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mcpLab, type McpLab } from './mcp-lab.ts';

const Called = z.object({ result: z.object({ structuredContent: z.object({ scan_id: z.string() }) }) });
const Refused = z.object({
  error: z.object({ data: z.object({ code: z.string(), hint: z.string(), trace_id: z.string() }) }),
});

const call = (id: number, name: string, args: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

async function begin(lab: McpLab) {
  const headers = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': await lab.begin() };
  const listen = (more: Record<string, string> = {}) =>
    fetch(`${lab.url}/mcp`, { headers: { ...headers, accept: 'text/event-stream', ...more } });
  const run = await lab.post(call(1, 'run_untrusted_scan', { targets: ['127.0.0.1:1'] }), headers);
  const json = /^data: (\{.+)$/m.exec(await run.text())?.[1] ?? '';
  const { scan_id: scanId } = Called.parse(JSON.parse(json)).result.structuredContent;
  return { headers, listen, scanId };
}

/** Reads on until this has come. */
async function upTo(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: RegExp): Promise<string> {
  let text = '';
  while (!wanted.test(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  return text;
}

const readerOf = ({ body }: Response): ReadableStreamDefaultReader<Uint8Array> => {
  if (!body) throw new Error('no body');
  return body.getReader();
};

const restOf = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> => {
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += new TextDecoder().decode(value);
  }
};

/** The network of a client is gone, and the server has not heard of it: to it, the old connection is open. */
describe('a client that comes back while its old connection seems to be open', () => {
  it('gets the answer of its call on the new one', async () => {
    const lab = await mcpLab();
    const { headers, listen, scanId } = await begin(lab);
    const old = readerOf(await lab.post(call(2, 'wait_for_scan', { scan_id: scanId, wait_seconds: 50 }), headers));
    const eventId = /^id: (.+)$/m.exec(await upTo(old, /^id: .+\n[^]*\n\n/m))?.[1] ?? '';
    const again = await listen({ 'last-event-id': eventId });
    expect(again.status).toBe(200);
    await (await lab.post(call(3, 'cancel_scan', { scan_id: scanId }), headers)).text();
    expect(await upTo(readerOf(again), /"id":2/)).toContain('"state":"cancelled"');
    expect(await restOf(old)).not.toContain('"id":2');
  });

  it('goes on to listen on the new one', async () => {
    const lab = await mcpLab();
    const { headers, listen, scanId } = await begin(lab);
    await (
      await lab.post({ jsonrpc: '2.0', id: 2, method: 'logging/setLevel', params: { level: 'info' } }, headers)
    ).text();
    const old = readerOf(await listen());
    const another = await lab.post(call(3, 'run_untrusted_scan', { targets: ['127.0.0.1:2'] }), headers);
    await another.text();
    const eventId = /^id: (.+)$/m.exec(await upTo(old, /"state":"queued"[^]*\n\n/))?.[1] ?? '';
    const again = await listen({ 'last-event-id': eventId });
    expect(again.status).toBe(200);
    await (await lab.post(call(4, 'cancel_scan', { scan_id: scanId }), headers)).text();
    expect(await upTo(readerOf(again), /"state":"cancelled"/)).toContain(scanId);
    expect(await restOf(old)).not.toContain('"state":"cancelled"');
  });
});

describe('a client that comes back with an id nobody knows', () => {
  it('is told to begin anew', async () => {
    const lab = await mcpLab();
    const { listen } = await begin(lab);
    const answer = await listen({ 'last-event-id': 'zz-unknown' });
    expect(answer.status).toBe(400);
    const { data } = Refused.parse(await answer.json()).error;
    expect(data).toMatchObject({ code: 'invalid_request', hint: expect.stringMatching(/initialize/) });
  });
});
