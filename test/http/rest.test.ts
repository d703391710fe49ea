import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import { QueueReport, ScanList, ScannerList } from '../../src/model/contract/lists.ts';
import { FindingAnswer, Results } from '../../src/model/contract/results.ts';
import { Cancelled, Status } from '../../src/model/contract/status.ts';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { Comparison } from '../../src/model/contract/compare.ts';
import { END, found, placed } from '../findings/reports.ts';
import { finishedScan } from '../tools/finished-scan.ts';
import { startRest, type RestServer } from './rest-server.ts';

const TARGET = { targets: ['127.0.0.1:9'] };
const REPORT = [placed('10.0.0.1', 'tested'), found(), found({ severity: 'high', cves: ['CVE-2021-44228'] }), END];

async function submitted(server: RestServer, body: object = TARGET): Promise<string> {
  const answer = await server.post('/scans', body);
  expect(answer.status).toBe(202);
  return SubmittedScan.parse(await answer.json()).scan_id;
}

const finished = ({ app, data }: RestServer, events = REPORT): Promise<string> =>
  finishedScan({ queue: app.queue, data }, events);

async function problem(answer: Response): Promise<Record<string, unknown>> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const body: unknown = await answer.json();
  expect(body).toMatchObject({ status: answer.status });
  return Object.assign({}, body);
}

describe('REST', () => {
  it('starts a scan and says where it is and when to look', async () => {
    const server = await startRest();
    const answer = await server.post('/scans', TARGET);
    expect(answer.status).toBe(202);
    const body = SubmittedScan.parse(await answer.json());
    expect(answer.headers.get('location')).toBe(`/api/scans/${body.scan_id}`);
    expect(answer.headers.get('retry-after')).toBe(String(body.poll_after_seconds));
    const status = Status.parse(await (await server.get(`/scans/${body.scan_id}`)).json());
    expect(status).toMatchObject({ state: 'queued', targets: TARGET.targets });
  });

  it('repeats a call by its Idempotency-Key, bare or quoted, and refuses the key for another body', async () => {
    const server = await startRest();
    const first = await server.post('/scans', TARGET, { 'idempotency-key': 'once-and-again' });
    const again = await server.post('/scans', TARGET, { 'idempotency-key': '"once-and-again"' });
    const [one, two] = [SubmittedScan.parse(await first.json()), SubmittedScan.parse(await again.json())];
    expect(two).toMatchObject({ scan_id: one.scan_id, deduplicated: true });
    const other = { ...TARGET, intensity: 'light' };
    const conflict = await server.post('/scans', other, { 'idempotency-key': 'once-and-again' });
    expect(conflict.status).toBe(409);
    expect(await problem(conflict)).toMatchObject({ code: 'idempotency_conflict' });
    const twoKeys = await server.post(
      '/scans',
      { ...TARGET, idempotency_key: 'another-one' },
      { 'idempotency-key': 'x' },
    );
    expect(await problem(twoKeys)).toMatchObject({ code: 'invalid_request', status: 400 });
  });

  it('logs in where credential_ref says so: an unknown one is refused by its own code', async () => {
    const server = await startRest();
    const answer = await server.post('/scans', { ...TARGET, scanner_pool: 'baseline', credential_ref: 'nobody' });
    expect(['credential_unknown', 'option_unsupported']).toContain((await problem(answer))['code']);
  });

  it('answers every question with the shape its tool has', async () => {
    const server = await startRest();
    const [base, head] = [await finished(server), await finished(server)];
    const json = async (path: string): Promise<unknown> => {
      const answer = await server.get(path);
      expect(answer.status, path).toBe(200);
      return answer.json();
    };
    const results = Results.parse(await json(`/scans/${head}/findings?severity_levels=high&severity_levels=critical`));
    expect(results).toMatchObject({ total: 1, total_unfiltered: 2 });
    const id = results.findings?.[0]?.finding_id ?? '';
    expect(FindingAnswer.parse(await json(`/findings/${id}`)).cves).toEqual(['CVE-2021-44228']);
    expect(Found.parse(await json('/findings?cve=CVE-2021-44228'))).toMatchObject({ answer: 'found' });
    expect(ScanList.parse(await json('/scans?state=completed&limit=1'))).toMatchObject({ total: 2 });
    const compared = Comparison.parse(await json(`/compare?head_scan_id=${head}&base_scan_id=${base}`));
    expect(compared.counts.persisting).toBe(2);
    expect(ScannerList.parse(await json('/scanners')).pools.length).toBeGreaterThan(0);
    expect(QueueReport.parse(await json('/queue?scanner_pool=baseline')).backend).toBe('sqlite');
  });

  it('cancels, with or without a body', async () => {
    const server = await startRest();
    const one = await submitted(server);
    const answer = await server.post(`/scans/${one}/cancel`);
    expect(Cancelled.parse(await answer.json())).toMatchObject({ scan_id: one, effect: 'removed' });
    const two = await submitted(server);
    const told = await server.post(`/scans/${two}/cancel`, { reason: 'changed my mind' });
    expect(told.status).toBe(200);
  });

  it('says that nothing can be paused, but only of a scan that exists', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    for (const verb of ['pause', 'resume']) {
      const answer = await server.post(`/scans/${scanId}/${verb}`);
      expect(answer.status).toBe(422);
      expect(await problem(answer)).toMatchObject({ code: 'option_unsupported' });
      const unknown = await server.post(`/scans/scan_00000000000000000000/${verb}`);
      expect(await problem(unknown)).toMatchObject({ code: 'scan_not_found', status: 404 });
    }
  });

  it('puts a dead letter back into the queue', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    const { queue } = server.app;
    await queue.heartbeat('w');
    const claim = await queue.claim('w', [{ pool: 'baseline', instance: 'local', limit: 9 }]);
    if (!claim) throw new Error('nothing to claim');
    const error = { code: 'scan_aborted', message: 'It broke.', hint: 'Look.', retryable: false };
    await queue.finish(claim, { kind: 'failed', error });
    const answer = await server.post(`/dead-letters/${scanId}/retry`);
    expect(Status.parse(await answer.json())).toMatchObject({ scan_id: scanId, state: 'queued' });
    const again = await server.post(`/dead-letters/${scanId}/retry`);
    expect(await problem(again)).toMatchObject({ code: 'invalid_request' });
  });
});

describe('a status over REST', () => {
  it('is not sent again while nothing has changed', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    const first = await server.get(`/scans/${scanId}`);
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"/);
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
    const same = await server.get(`/scans/${scanId}`, { 'if-none-match': `"other", ${tag}` });
    expect(same.status).toBe(304);
    expect(Number(same.headers.get('retry-after'))).toBeGreaterThan(0);
    await server.post(`/scans/${scanId}/cancel`);
    const changed = await server.get(`/scans/${scanId}`, { 'if-none-match': tag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(tag);
    expect(changed.headers.get('retry-after')).toBeNull();
  });
});

describe('a report over REST', () => {
  it('is a file that says what it is, and can be asked for in parts', async () => {
    const server = await startRest();
    const scanId = await finished(server);
    const path = `/scans/${scanId}/report/csv`;
    const answer = await server.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${scanId}.csv"`);
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox/);
    const text = await answer.text();
    expect(text).toContain('CVE-2021-44228');
    const sum = createHash('sha256').update(text);
    expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${sum.digest('base64')}:`);
    const part = await server.get(path, { range: 'bytes=2-5' });
    expect(part.status).toBe(206);
    expect(await part.text()).toBe(text.slice(2, 6));
    const beyond = await server.get(path, { range: 'bytes=99999999-' });
    expect(beyond.status).toBe(416);
    await problem(beyond);
    expect(answer.headers.get('vary')).toMatch(/Origin.*Authorization/);
    const same = await server.get(path, { 'if-none-match': answer.headers.get('etag') ?? '' });
    expect(same.status).toBe(304);
    const filtered = await (await server.get(`${path}?min_severity=high`)).text();
    expect(filtered.length).toBeLessThan(text.length);
  });

  it('of a scan that has not ended, or in an unknown format, is refused', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    expect(await problem(await server.get(`/scans/${scanId}/report/sarif`))).toMatchObject({
      code: 'scan_not_finished',
      status: 409,
    });
    const odd = await problem(await server.get(`/scans/${scanId}/report/sarf`));
    expect(odd).toMatchObject({ code: 'invalid_request', status: 400 });
    expect(odd['detail']).toMatch(/did you mean sarif\?/);
  });
});

describe('a request that is wrong', () => {
  const cases: readonly [string, (server: RestServer) => Promise<Response>, number, RegExp][] = [
    ['an unknown argument', (server) => server.get('/scans?statee=queued'), 400, /did you mean state\?/],
    ['an argument twice', (server) => server.get('/scans?limit=1&limit=2'), 400, /limit must be/],
    ['no number', (server) => server.get('/scans?limit=many'), 400, /limit must be a whole number/],
    ['a query on a POST', (server) => server.post('/scans?targets=127.0.0.1', {}), 400, /in its body/],
    ['broken JSON', (server) => server.post('/scans', '{"targets":'), 400, /no JSON/],
    ['a list for a body', (server) => server.post('/scans', [TARGET]), 400, /must be a JSON object/],
    ['__proto__', (server) => server.post('/scans', '{"targets":["127.0.0.1"],"__proto__":{"a":1}}'), 400, /__proto__/],
    [
      'another type',
      (server) => server.post('/scans', 'a=1', { 'content-type': 'text/plain' }),
      415,
      /application\/json/,
    ],
    ['too much', (server) => server.post('/scans', { targets: ['a'.repeat(2_000_000)] }), 413, /larger than/],
    ['what is in the path', (server) => server.post('/scans/x/cancel', { scan_id: 'y' }), 400, /in the path already/],
    ['a bad path', (server) => server.get('/scans/%E0%A4%A'), 400, /badly encoded/],
    ['no route', (server) => server.get('/scanz'), 404, /There is no GET/],
    ['another method', (server) => server.post('/queue'), 405, /takes GET, HEAD/],
    ['a NUL', (server) => server.get('/findings?text=%00'), 400, /NUL/],
    ['a forged cursor', (server) => server.get('/scans?cursor=abc'), 400, /cursor/i],
    ['an unknown scan', (server) => server.get('/scans/scan_00000000000000000000'), 404, /no scan/],
    [
      'a short key',
      (server) => server.post('/scans', TARGET, { 'idempotency-key': '"k"' }),
      400,
      /The header Idempotency-Key must have 8 to 200 characters; this one has 1\./,
    ],
    ['a long key', (server) => server.post('/scans', TARGET, { 'idempotency-key': 'k'.repeat(201) }), 400, /has 201\./],
    [
      'a key with no use',
      (server) => server.post('/scans/x/cancel', {}, { 'idempotency-key': 'k' }),
      400,
      /idempotency_key/,
    ],
  ];
  it.each(cases)('with %s is told so', async (_what, ask, status, detail) => {
    const server = await startRest();
    const answer = await ask(server);
    expect(answer.status).toBe(status);
    expect(String((await problem(answer))['detail'])).toMatch(detail);
  });

  it('is told the next step in routes, not in tools', async () => {
    const server = await startRest();
    const hintOf = async (path: string) => (await problem(await server.get(path)))['hint'];
    expect(await hintOf('/scanz')).toBe('GET /api/openapi.json has the routes of REST; MCP is at /mcp.');
    const none = '/scans/scan_00000000000000000000';
    expect(await hintOf(none)).toBe('Call GET /api/scans for the scans there are.');
    const { scan_id: scanId } = SubmittedScan.parse(await (await server.post('/scans', TARGET)).json());
    expect(await hintOf(`/scans/${scanId}/findings`)).toMatch(/^Call GET \/api\/scans\/\{scan_id\}/);
  });

  it('is told which methods a route takes', async () => {
    const server = await startRest();
    const answer = await server.post('/queue');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('whose scan it is', () => {
  it('other tenants hear the same of it as of none', async () => {
    const server = await startRest();
    const scanId = await finished(server);
    const none = 'scan_00000000000000000000';
    const paths = ['', '/findings', '/report/json', '/events'];
    const told = async (id: string, path: string): Promise<unknown> => {
      const answer = await server.get(`/scans/${id}${path}`, { authorization: 'Bearer theirs' });
      const { trace_id: _, ...said } = await problem(answer);
      return { status: answer.status, said };
    };
    for (const path of paths) expect(await told(scanId, path), path).toEqual(await told(none, path));
    const list = await server.get('/scans', { authorization: 'Bearer theirs' });
    expect(ScanList.parse(await list.json())).toMatchObject({ scans: [], total: 0 });
  });

  it('nobody is answered without a key', async () => {
    const server = await startRest();
    const answer = await server.get('/scans', { authorization: '' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

describe('HEAD', () => {
  it('of a status and of events has no body and holds no stream open', async () => {
    const server = await startRest();
    const scanId = await submitted(server);
    for (const path of [`/scans/${scanId}`, `/scans/${scanId}/events`]) {
      const status = await new Promise((resolve, reject) => {
        const headers = { authorization: 'Bearer ours' };
        const asked = request(`${server.url}/api${path}`, { method: 'HEAD', headers }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode));
        });
        asked.on('error', reject).end();
      });
      expect(status).toBe(200);
    }
  });
});
