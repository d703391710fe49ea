import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpSettings } from '../../src/config/settings-http.ts';
import { createMcpEndpoint } from '../../src/http/mcp-endpoint.ts';
import { createDownloadRouter } from '../../src/http/rest/download-router.ts';
import { createDownloads } from '../../src/http/rest/downloads.ts';
import { createRestRouter } from '../../src/http/rest/rest-router.ts';
import { ExportInput } from '../../src/model/contract/export.ts';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { createMcpServer } from '../../src/tools/server.ts';
import { wire } from '../tools/wire.ts';
import { checkNginx, startNginx } from './nginx-process.ts';
import { CALLERS, restDeps } from './rest-server.ts';
import { readEvents } from './sse-client.ts';
import { startHttp } from './start-http.ts';

const OURS = { authorization: 'Bearer ours' };

/** Everything a server has, behind nginx as its example says. */
async function proxied() {
  const { app } = await wire();
  const deps = restDeps(app);
  const settings = { ...HttpSettings.parse({}), allowed_hosts: ['127.0.0.1'], trust_proxy: ['loopback'] };
  const endpoint = createMcpEndpoint(
    {
      ...deps,
      makeServer: (askerOf) =>
        createMcpServer({ version: '0', open: () => Promise.resolve(app.scans), askerOf, onDefect: () => undefined }),
    },
    settings,
  );
  const downloads = createDownloads({ secrets: app.secrets, clock: deps.clock });
  const parts = {
    open: [createDownloadRouter({ scans: app.scans, downloads })],
    rest: createRestRouter(deps),
    mcp: endpoint.router,
  };
  const server = await startHttp(deps, parts, settings);
  onTestFinished(async () => {
    await endpoint.close();
    await server.close();
  });
  const nginx = await startNginx(server.port);
  const submit = async (): Promise<string> => {
    const headers = { ...OURS, 'content-type': 'application/json' };
    const body = JSON.stringify({ targets: ['127.0.0.1:9'] });
    const answer = await fetch(`${nginx.url}/api/scans`, { method: 'POST', headers, body });
    expect(answer.status).toBe(202);
    return SubmittedScan.parse(await answer.json()).scan_id;
  };
  return { app, nginx, downloads, submit };
}

describe('behind nginx, as in deploy/nginx/scanmux.conf', () => {
  it('the example with TLS is one that nginx takes', () => {
    const folder = join(process.cwd(), 'test', 'fixtures', 'baseline-tls');
    const { ok, said } = checkNginx(join(folder, 'good.pem'), join(folder, 'good.key'));
    expect(ok, said).toBe(true);
  });

  it('JSON comes through, with its headers and problems', async () => {
    const { nginx, submit } = await proxied();
    const scanId = await submit();
    const status = await fetch(`${nginx.url}/api/scans/${scanId}`, { headers: OURS });
    expect(status.headers.get('etag')).toMatch(/^W\//);
    const problem = await fetch(`${nginx.url}/api/scans/unknown`, { headers: OURS });
    expect(problem.status).toBe(404);
    expect(problem.headers.get('content-type')).toMatch(/problem\+json/);
    const nobody = await fetch(`${nginx.url}/api/scans`);
    expect(nobody.status).toBe(401);
  });

  it('events come one by one, and the end of the stream with them', async () => {
    const { app, nginx, submit } = await proxied();
    const scanId = await submit();
    const url = `${nginx.url}/api/scans/${scanId}/events`;
    const reader = await readEvents(url, OURS);
    await reader.until(() => reader.events.length === 1);
    await app.queue.heartbeat('w');
    const claim = await app.queue.claim('w', [{ pool: 'baseline', instance: 'local', limit: 1 }]);
    // Nothing more is written before this has come through: a proxy that kept it back would be waited for in vain.
    await reader.until(() => reader.events.length === 2);
    const error = { code: 'scan_aborted', message: 'It broke.', hint: 'Look.', retryable: false };
    if (claim) await app.queue.finish(claim, { kind: 'failed', error });
    await reader.ended;
    expect(reader.response.complete).toBe(true);
    expect(reader.events.map(({ data }) => data.state)).toEqual(['queued', 'running', 'failed']);
    const again = await fetch(url, { headers: { ...OURS, 'last-event-id': '3' } });
    expect(again.status).toBe(204);
  });

  it('a client of MCP has its session', async () => {
    const { nginx } = await proxied();
    const transport = new StreamableHTTPClientTransport(new URL(`${nginx.url}/mcp`), {
      requestInit: { headers: OURS },
    });
    const client = new Client({ name: 'behind-nginx', version: '1' });
    await client.connect(transport);
    onTestFinished(() => client.close());
    expect(transport.sessionId).toBeDefined();
    expect((await client.listTools()).tools.length).toBeGreaterThan(10);
    const answer = await client.callTool({ name: 'get_queue_status', arguments: {} });
    expect(answer.isError).toBeFalsy();
  });

  it('links to downloads are in no log, and metrics are not for everybody', async () => {
    const { nginx, downloads, submit } = await proxied();
    const input = ExportInput.parse({ scan_id: await submit(), format: 'csv' });
    const caller = CALLERS['ours'];
    if (!caller) throw new Error('nobody');
    const token = await downloads.tokenFor(input, caller);
    const answer = await fetch(`${nginx.url}/api/downloads/${token}`);
    expect(answer.status).toBe(409);
    await answer.text();
    expect((await fetch(`${nginx.url}/metrics`)).status).toBe(404);
    expect(nginx.accessLog()).toContain('/metrics');
    expect(nginx.accessLog()).not.toContain(token);
  });
});
