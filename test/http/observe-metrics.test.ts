import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Router } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { helpOf, METRICS, type MetricRow } from '../../src/http/observe/metric-table.ts';
import { renderMetricDocs } from '../../src/http/observe/render-docs.ts';
import { AppError } from '../../src/model/errors.ts';
import type { Authenticator } from '../../src/http/deps.ts';
import { ALL_SCOPES } from '../../src/model/caller.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';
import { fakeClock } from '../queue/sqlite-harness.ts';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { ACME_ADMIN, ADMIN, AGENT, newScan, samplesOf, startObserved } from './observe-lab.ts';

/** Alive as long as this process. */
const WORKER = identityText(ownIdentity());
const ROWS: [string, MetricRow][] = Object.entries(METRICS);

it('shows what the queue counted, whoever did the work', async () => {
  const lab = await startObserved();
  const error = { code: 'scan_aborted', message: 'no', hint: 'none', retryable: true };
  await lab.queue.heartbeat(WORKER, {
    concurrency: 4,
    version: '1',
    host: 'a',
    pid: 1,
    startedAt: 0,
    draining: false,
  });
  for (let i = 0; i < 3; i += 1) await lab.queue.submit(newScan({ targets: [`h${i}.example.com`] }));
  const slots = [{ pool: 'web', instance: 'one', limit: 1 }];
  const claim = await lab.queue.claim(WORKER, slots);
  if (!claim) throw new Error('nothing to claim');
  await lab.queue.finish(claim, { kind: 'failed', error });
  await lab.queue.claim(WORKER, slots);
  await lab.queue.putInstanceHealth('web', 'one', { status: 'unhealthy', canLaunch: false, circuit: 'open' });

  const answer = await fetch(`${lab.url}/metrics`, { headers: ADMIN });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  const samples = samplesOf(text);
  expect(Object.fromEntries(samples)).toMatchObject({
    'scanmux_build_info{version="1.2.3"}': 1,
    scanmux_queue_up: 1,
    'scanmux_scans_submitted_total{pool="web"}': 3,
    'scanmux_scan_starts_total{pool="web"}': 2,
    'scanmux_scans_finished_total{pool="web",state="failed"}': 1,
    'scanmux_scan_duration_seconds_bucket{pool="web",le="1"}': 1,
    'scanmux_scan_duration_seconds_bucket{pool="web",le="+Inf"}': 1,
    'scanmux_scan_duration_seconds_count{pool="web"}': 1,
    'scanmux_queue_scans{pool="web",state="queued"}': 1,
    'scanmux_queue_scans{pool="web",state="running"}': 1,
    'scanmux_dead_letters{pool="web"}': 1,
    'scanmux_workers{state="active"}': 1,
    scanmux_worker_slots: 4,
    'scanmux_instance_slots{pool="web",scanner_instance="one"}': 3,
    'scanmux_instance_active_scans{pool="web",scanner_instance="one"}': 1,
    'scanmux_instance_healthy{pool="web",scanner_instance="one"}': 0,
    'scanmux_instance_circuit{pool="web",scanner_instance="one",state="open"}': 1,
    'scanmux_instance_circuit{pool="web",scanner_instance="one",state="closed"}': 0,
    scanmux_scanners_config_valid: 1,
  });
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
});

it('writes every metric of the table with its type and sentence, and none of our own beside it', async () => {
  const { url } = await startObserved();
  const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
  for (const [name, row] of ROWS) {
    expect(text).toContain(`# HELP ${name} ${helpOf(row)}\n`);
    expect(text).toContain(`# TYPE ${name} ${row.type}\n`);
  }
  const own = [...text.matchAll(/^# TYPE (scanmux_\S+)/gm)].map(([, name]) => name);
  expect(new Set(own)).toEqual(new Set(ROWS.map(([name]) => name)));
  // Prometheus has a label of that name itself, and would rename ours.
  for (const [, { labels }] of ROWS) expect(labels).not.toContain('instance');
});

it('is a text that Prometheus itself finds nothing to say against', async () => {
  const { url, queue } = await startObserved();
  await queue.submit(newScan());
  const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // Names of the library, under which dashboards for Node.js look for them.
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/^(nodejs|process)_/.test(line));
  expect([said, status === 0 || status === 3]).toEqual([[], true]);
});

it('documents every metric, those of Node and the process among them', async () => {
  const { url } = await startObserved();
  const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
  const page = await renderMetricDocs();
  for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) expect(page).toContain(`\`${name}\``);
});

it('goes on without the queue, in bounded time, and shows no numbers from before', async () => {
  const lab = await startObserved();
  await lab.queue.submit(newScan());
  const before = await (await fetch(`${lab.url}/metrics`, { headers: ADMIN })).text();
  expect(samplesOf(before).has('scanmux_scans_submitted_total{pool="web"}')).toBe(true);
  lab.operations.counters = () => Promise.reject(new AppError('queue_unavailable', 'away'));
  const away = await fetch(`${lab.url}/metrics`, { headers: ADMIN });
  const samples = samplesOf(await away.text());
  expect([away.status, samples.get('scanmux_queue_up')]).toEqual([200, 0]);
  expect([...samples.keys()].filter((key) => key.startsWith('scanmux_scans_submitted'))).toEqual([]);
  expect([...samples.keys()].filter((key) => key.startsWith('scanmux_worker_slots'))).toEqual([]);
});

it('counts a refused scanners.yaml once, and says that it is mended', async () => {
  const lab = await startObserved();
  lab.scanners.fail('line 3 is wrong');
  lab.scanners.fail('line 3 is wrong');
  const broken = samplesOf(await (await fetch(`${lab.url}/metrics`, { headers: ADMIN })).text());
  expect(broken.get('scanmux_scanners_config_valid')).toBe(0);
  expect(broken.get('scanmux_scanners_config_errors_total')).toBe(1);
  lab.scanners.fail(undefined);
  const mended = samplesOf(await (await fetch(`${lab.url}/metrics`, { headers: ADMIN })).text());
  expect(mended.get('scanmux_scanners_config_valid')).toBe(1);
});

it('counts requests by route, and what a client invents as one', async () => {
  const { url } = await startObserved();
  await fetch(`${url}/healthz`);
  await fetch(`${url}/HEALTHZ`);
  for (let i = 0; i < 5; i += 1) await fetch(`${url}/no/such/place/${i}?q=${i}`);
  await fetch(`${url}/queues/api/queues/web/scan_00000000000000000000`, { headers: ADMIN });
  const samples = samplesOf(await (await fetch(`${url}/metrics`, { headers: ADMIN })).text());
  expect(samples.get('scanmux_http_requests_total{method="GET",route="/healthz",status="200"}')).toBe(2);
  expect(samples.get('scanmux_http_requests_total{method="GET",route="other",status="404"}')).toBe(5);
  const job = 'scanmux_http_requests_total{method="GET",route="/queues/api/queues/:queueName/:jobId",status="404"}';
  expect(samples.get(job)).toBe(1);
  expect(samples.get('scanmux_http_open_requests')).toBe(1);
});

it('counts a route under one name, whether it was refused or not', async () => {
  const { url } = await startObserved({}, {}, undefined, {
    rest: Router()
      .post('/scans', (_request, response) => void response.status(202).end())
      .get('/scans/:scan_id', (_request, _response, next) => next(new AppError('forbidden', 'no'))),
  });
  await fetch(`${url}/api/scans`, { method: 'POST', headers: AGENT });
  await fetch(`${url}/API/scans/`, { method: 'POST', headers: AGENT });
  await fetch(`${url}/api/scans`, { method: 'POST' });
  await fetch(`${url}/api/scans/scan_1?x=1`, { headers: AGENT });
  for (const path of ['/api/openapi.json', '/queues', '/queues/queue/web', '/mcp', '/api/nothing'])
    await fetch(url + path);
  const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
  const rows = [...samplesOf(text)].flatMap(([key, value]) => {
    const [, method, route, status] =
      /^scanmux_http_requests_total\{method="(.*)",route="(.*)",status="(.*)"\}$/.exec(key) ?? [];
    return method === undefined ? [] : [`${method} ${route} ${status} ${value}`];
  });
  expect(rows.toSorted()).toEqual([
    'GET /api/openapi.json 401 1',
    'GET /api/scans/:scan_id 403 1',
    'GET /mcp 401 1',
    'GET /queues 401 2',
    'GET other 401 1',
    'POST /api/scans 202 2',
    'POST /api/scans 401 1',
  ]);
});

it('is for operators: others are refused', async () => {
  const { url } = await startObserved();
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await fetch(`${url}/metrics`, { headers: AGENT })).status).toBe(403);
});

it('is about all tenants: an admin of one that does not run the service is refused', async () => {
  const { url } = await startObserved();
  const answer = await fetch(`${url}/metrics`, { headers: ACME_ADMIN });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ code: 'forbidden', hint: expect.stringContaining('operator_tenants') });
  const { url: open } = await startObserved({}, { operatorTenants: ['acme'] });
  expect((await fetch(`${open}/metrics`, { headers: ACME_ADMIN })).status).toBe(200);
  expect((await fetch(`${open}/metrics`, { headers: ADMIN })).status).toBe(403);
});

it('lets an admin key in that was good a minute ago, while the queue that knows it is away', async () => {
  const clock = fakeClock();
  const known = authenticatorOf({
    'good-key': callerNamed('key:a', { scopes: ALL_SCOPES }),
    'agent-key': callerNamed('b'),
  });
  const state: { trouble: 'queue_unavailable' | 'unauthenticated' | undefined } = { trouble: undefined };
  const authenticator: Authenticator = {
    ...known,
    async authenticate(claimed) {
      if (state.trouble !== undefined) throw new AppError(state.trouble, 'away');
      return known.authenticate(claimed);
    },
  };
  const { url } = await startObserved({}, { authenticator, clock });
  const statusOf = async (key: string): Promise<number> =>
    (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).status;
  expect([await statusOf('good-key'), await statusOf('agent-key')]).toEqual([200, 403]);
  state.trouble = 'queue_unavailable';
  clock.advance(59_000);
  expect([await statusOf('good-key'), await statusOf('agent-key'), await statusOf('new-key')]).toEqual([200, 503, 503]);
  clock.advance(1_001);
  expect(await statusOf('good-key')).toBe(503);
  state.trouble = undefined;
  expect(await statusOf('good-key')).toBe(200);
  state.trouble = 'unauthenticated'; // revoked
  expect(await statusOf('good-key')).toBe(401);
  state.trouble = 'queue_unavailable';
  expect(await statusOf('good-key')).toBe(503);
});

it('is for who holds the token of the file, which may change, and only for the metrics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'token');
  writeFileSync(file, 'first-token\n');
  const { url } = await startObserved({ token_file: file });
  const status = async (token: string, path = '/metrics'): Promise<number> =>
    (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await status('first-token'), await status('first-toke'), await status('first-token', '/queues')]).toEqual([
    200, 401, 401,
  ]);
  writeFileSync(file, 'second-token');
  expect([await status('first-token'), await status('second-token')]).toEqual([401, 200]);
  writeFileSync(file, '');
  expect([await status('second-token'), await status('admin-key')]).toEqual([401, 200]);
  rmSync(file);
  expect([await status('second-token'), await status('admin-key')]).toEqual([401, 200]);
});

it('is for the addresses that are allowed', async () => {
  const near = await startObserved({ allow_from: ['127.0.0.0/8', '::1'] });
  expect((await fetch(`${near.url}/metrics`)).status).toBe(200);
  const far = await startObserved({ allow_from: ['192.0.2.0/24'] });
  expect((await fetch(`${far.url}/metrics`)).status).toBe(401);
});
