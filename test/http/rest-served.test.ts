import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { Status } from '../../src/model/contract/status.ts';
import { served, type Served } from './served.ts';
import { readEvents } from './sse-client.ts';

async function start({ url }: Served, target: string): Promise<string> {
  const answer = await fetch(`${url}/api/scans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ targets: [target], intensity: 'light' }),
  });
  expect(answer.status).toBe(202);
  return SubmittedScan.parse(await answer.json()).scan_id;
}

/** Something to scan. */
async function weakServer(): Promise<string> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('scanmux serve, over REST', () => {
  it(
    'runs a scan whose events lead to its end, and whose report MCP hands out as a link',
    { timeout: 60_000 },
    async () => {
      const server = await served();
      const scanId = await start(server, await weakServer());
      const reader = await readEvents(`${server.url}/api/scans/${scanId}/events`, {});
      await reader.ended;
      expect(reader.events[0]?.data.seq).toBeLessThan(reader.events.length + 1);
      expect(reader.events.at(-1)?.data).toMatchObject({ state: 'completed', final: true });
      const ids = reader.events.map(({ id }) => id);
      expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
      const status = Status.parse(await (await fetch(`${server.url}/api/scans/${scanId}`)).json());
      expect(status).toMatchObject({ state: 'completed', verdict: 'complete' });
      const exported = await server.call('export_report', { scan_id: scanId, format: 'json' });
      expect(exported).not.toHaveProperty('path');
      const url = String(exported['download_url']);
      expect(url.startsWith(`${server.url}/api/downloads/`)).toBe(true);
      const file = await fetch(url);
      expect(file.headers.get('content-length')).toBe(String(exported['bytes']));
      expect(await file.text()).toContain(scanId);
    },
  );

  it('tells those who follow a scan to come back, and ends', async () => {
    const server = await served(['--no-worker']);
    const scanId = await start(server, '127.0.0.1:9');
    const readers = await Promise.all(
      Array.from({ length: 5 }, () => readEvents(`${server.url}/api/scans/${scanId}/events`, {})),
    );
    await Promise.all(readers.map((reader) => reader.until(() => reader.events.length === 1)));
    server.child.kill('SIGTERM');
    await Promise.all(readers.map(({ ended }) => ended));
    for (const reader of readers) expect(reader.text()).toMatch(/retry: \d+\n\n$/);
    const { code, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('cut off');
  });
});
