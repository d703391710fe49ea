import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { createPlace, startCommand, untilEnded, type Ended, type Place } from '../cli/command-process.ts';
import { MCP_HEADERS } from '../http/mcp-lab.ts';
import { readEvents } from '../http/sse-client.ts';
import { startRedis } from '../redis-server.ts';
import { startS3 } from '../s3-server.ts';

type Variables = Readonly<Record<string, string>>;

interface Machine {
  readonly place: Place;
  run(argv: readonly string[]): { child: ChildProcess; ended: Promise<Ended> };
}

/** A data folder and a configuration of its own; it shares nothing but what `env` names. */
function createMachine(env: Variables): Machine {
  const place = createPlace();
  onTestFinished(() => place.clean());
  mkdirSync(place.config, { recursive: true });
  writeFileSync(join(place.config, 'policy.yaml'), "allow:\n  - { target: localhost, tenants: ['*'] }\n");
  return {
    place,
    run(argv) {
      const child = startCommand(place, argv, { env });
      const ended = untilEnded(child);
      onTestFinished(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      return { child, ended };
    },
  };
}

async function serve(machine: Machine): Promise<string> {
  const { child, ended } = machine.run(['serve', '--no-worker', '--port', '0']);
  let said = '';
  const listening = new Promise<string>((resolve) => {
    child.stdout?.on('data', (part: Buffer) => {
      said += part.toString();
      const url = /listens on (http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  return Promise.race([listening, ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
}

async function createKey(machine: Machine, tenant: string): Promise<string> {
  const argv = ['keys', 'create', '--name', tenant, '--tenant', tenant, '--scopes', 'scan:read,scan:run'];
  const { stdout, stderr } = await machine.run(argv).ended;
  const key = /smx_[a-z0-9_]+/i.exec(stdout)?.[0];
  if (key === undefined) throw new Error(stderr);
  return key;
}

/** What one caller asks one server. */
function client(url: string, key: string) {
  const authorization = { authorization: `Bearer ${key}` };
  const rpc = async (method: string, params: object): Promise<unknown> => {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...MCP_HEADERS, ...authorization },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return answer.json();
  };
  return {
    rpc,
    authorization,
    get: (path: string): Promise<Response> => fetch(`${url}/api${path}`, { headers: authorization }),
    post: (path: string, body: object): Promise<Response> =>
      fetch(`${url}/api${path}`, {
        method: 'POST',
        headers: { ...authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    events: (path: string, headers: Variables = {}) =>
      readEvents(`${url}/api${path}`, { ...authorization, ...headers }),
  };
}

/** Something to scan. */
async function target(): Promise<string> {
  const server = createServer((_, response) => response.setHeader('server', 'nginx/1.0').end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
}

const Findings = z.looseObject({ total: z.int(), findings: z.array(z.looseObject({ finding_id: z.string() })) });
const Exported = z.object({ result: z.object({ structuredContent: z.looseObject({ download_url: z.string() }) }) });

it('what one server takes and another machine runs, a second server answers for in full', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const s3 = await startS3();
  onTestFinished(() => s3.close());
  const env = { REDIS_URL: redis.url, SCANMUX_STORAGE_RESERVE_MB: '0', ...s3.env, ...s3.settings };
  const machines = [createMachine(env), createMachine(env), createMachine(env)] as const;
  const [first, second, third] = machines;
  const [key, stranger] = await Promise.all([createKey(first, 'acme'), createKey(second, 'blue')]);
  const [firstUrl, secondUrl] = await Promise.all([serve(first), serve(second)]);
  const [one, two, other] = [client(firstUrl, key), client(secondUrl, key), client(secondUrl, stranger)];

  const submitted = await one.post('/scans', { targets: [await target()], intensity: 'light' });
  expect(submitted.status, await submitted.clone().text()).toBe(202);
  const { scan_id: scanId } = SubmittedScan.parse(await submitted.json());
  expect(await (await two.get(`/scans/${scanId}`)).json()).toMatchObject({ state: 'queued', waiting_for: 'worker' });
  const follower = await two.events(`/scans/${scanId}/events`);
  const worker = third.run(['worker', '--stay']);
  await follower.ended;
  expect(follower.events.at(-1)?.data).toMatchObject({ state: 'completed', final: true });

  // A stream that was begun at one server goes on at the other, without a gap or a repetition.
  const ids = follower.events.map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(1);
  const resumed = await one.events(`/scans/${scanId}/events`, { 'Last-Event-ID': String(ids[0]) });
  await resumed.ended;
  expect(resumed.events).toEqual(follower.events.slice(1));

  const found = Findings.parse(await (await two.get(`/scans/${scanId}/findings`)).json());
  expect(found.total).toBeGreaterThan(0);
  expect(Findings.parse(await (await one.get(`/scans/${scanId}/findings`)).json())).toEqual(found);
  const sarif = await two.get(`/scans/${scanId}/report/sarif`);
  expect(sarif.status).toBe(200);
  expect(await sarif.json()).toMatchObject({ version: '2.1.0', runs: [{ results: expect.any(Array) }] });
  expect(await two.rpc('tasks/get', { taskId: scanId })).toMatchObject({
    result: { taskId: scanId, status: 'completed' },
  });

  const call = { name: 'export_report', arguments: { scan_id: scanId, format: 'csv' } };
  const { download_url: link } = Exported.parse(await one.rpc('tools/call', call)).result.structuredContent;
  expect(link.startsWith(`${firstUrl}/api/downloads/`)).toBe(true);
  // The link itself lets in: no key goes with it.
  const [here, there] = await Promise.all([fetch(link), fetch(link.replace(firstUrl, secondUrl))]);
  expect([here.status, there.status]).toEqual([200, 200]);
  const csv = await there.text();
  expect(csv.trim().split('\n')).toHaveLength(found.total + 1);
  expect(await here.text()).toBe(csv);
  // One that was changed does not.
  expect((await fetch(`${link.replace(firstUrl, secondUrl)}0`)).status).toBe(403);

  // To another tenant the second server says no more than the first.
  expect((await other.get(`/scans/${scanId}`)).status).toBe(404);
  expect((await other.get(`/scans/${scanId}/report/sarif`)).status).toBe(404);

  // Nothing of it came over a common disk.
  for (const { place } of machines) {
    expect(existsSync(join(place.data, 'queue.db'))).toBe(false);
    const scans = join(place.data, 'scans');
    expect(existsSync(scans) ? readdirSync(scans) : []).not.toContain(scanId);
  }
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
}, 60_000);
