import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openApiDocument } from '../../src/http/rest/open-api.ts';
import { ExportInput } from '../../src/model/contract/export.ts';
import { END, found, placed } from '../findings/reports.ts';
import { finishedScan } from '../tools/finished-scan.ts';
import { callerNamed } from './fixed-authenticator.ts';
import { CALLERS, startRest, type RestServer } from './rest-server.ts';

/** Of every answer: of the connection, of caches, and what keeps a browser from harm. */
const USUAL = new Set(
  `date connection keep-alive content-length content-type transfer-encoding vary cache-control content-security-policy
  x-content-type-options x-frame-options referrer-policy cross-origin-resource-policy`.split(/\s+/),
);
const Told = z.object({
  headers: z.record(z.string(), z.unknown()).default({}),
  content: z.record(z.string(), z.unknown()).default({}),
});
const Parameter = z.object({ name: z.string(), schema: z.record(z.string(), z.unknown()) });
const Operation = z.object({
  parameters: z.array(Parameter).default([]),
  responses: z.record(z.string(), z.unknown()),
});
const { paths, components } = z
  .object({
    paths: z.record(z.string(), z.object({ get: Operation.optional(), post: Operation.optional() })),
    components: z.object({ responses: z.object({ Problem: Told }) }),
  })
  .parse(openApiDocument());

const reported = ({ app, data }: RestServer): Promise<string> =>
  finishedScan({ queue: app.queue, data }, [placed('10.0.0.1', 'tested'), found(), END]);
const linkTo = async ({ downloads }: RestServer, scanId: string): Promise<string> => {
  const input = ExportInput.parse({ scan_id: scanId, format: 'csv' });
  return `/downloads/${await downloads.tokenFor(input, CALLERS['ours'] ?? callerNamed('none'))}`;
};

interface Call {
  readonly path: string;
  readonly route: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

async function callsOf(server: RestServer): Promise<readonly Call[]> {
  const scanId = await reported(server);
  const status = { path: `/scans/${scanId}`, route: '/api/scans/{scan_id}' };
  const events = { path: `/scans/${scanId}/events`, route: '/api/scans/{scan_id}/events' };
  const document = { path: '/openapi.json', route: '/api/openapi.json' };
  const files = [
    { path: `/scans/${scanId}/report/csv`, route: '/api/scans/{scan_id}/report/{format}' },
    { path: await linkTo(server, scanId), route: '/api/downloads/{token}' },
  ];
  const nobody = { authorization: 'Bearer nobody' };
  const newest = (await (await server.get(events.path)).text()).match(/^id: (\d+)$/m)?.[1] ?? '';
  return [
    { ...status, status: 200 },
    { ...status, status: 304, headers: { 'if-none-match': '*' } },
    { ...status, status: 401, headers: nobody },
    { ...events, status: 200 },
    { ...events, status: 204, headers: { 'last-event-id': newest } },
    { ...document, status: 200 },
    { ...document, status: 401, headers: nobody },
    { path: '/downloads/x', route: '/api/downloads/{token}', status: 403 },
    ...files.flatMap((file) => [
      { ...file, status: 200 },
      { ...file, status: 206, headers: { range: 'bytes=0-3' } },
      { ...file, status: 304, headers: { 'if-none-match': '*' } },
      { ...file, status: 412, headers: { 'if-match': '"another"' } },
      { ...file, status: 416, headers: { range: 'bytes=999999-' } },
    ]),
  ];
}

describe('what REST sends', () => {
  it('is described: every status, kind of content and header', async () => {
    const server = await startRest();
    for (const { path, route, status, headers } of await callsOf(server)) {
      const answer = await server.get(path, headers);
      const body = await answer.text();
      const at = `${route} ${status}`;
      const responses: Readonly<Record<string, unknown>> = paths[route]?.get?.responses ?? {};
      if (status >= 400) expect([at, responses['default']]).toEqual([at, { $ref: '#/components/responses/Problem' }]);
      const told = status >= 400 ? components.responses.Problem : Told.parse(responses[status] ?? {});
      const known = Object.keys(told.headers).map((name) => name.toLowerCase());
      const unknown = [...answer.headers.keys()].filter((name) => !USUAL.has(name) && !known.includes(name));
      const kind = answer.headers.get('content-type')?.split(';')[0] ?? '';
      const isToldKind = ['*/*', kind].some((one) => Object.hasOwn(told.content, one));
      expect({ at, status: answer.status, unknown, isToldKind }).toEqual({
        at,
        status,
        unknown: [],
        isToldKind: body !== '',
      });
    }
  });

  it('says of a file that is not sent nothing but what went wrong', async () => {
    const server = await startRest();
    const path = `/scans/${await reported(server)}/report/csv`;
    const { size } = await (await server.get(path)).blob();
    const beyond = await server.get(path, { range: 'bytes=999999-' });
    expect(beyond.headers.get('content-range')).toBe(`bytes */${size}`);
    expect(await beyond.json()).toMatchObject({ status: 416, detail: expect.stringMatching(/range/) });
    const another = await server.get(path, { 'if-match': '"another"' });
    expect(await another.json()).toMatchObject({ status: 412, detail: expect.stringMatching(/If-Match/) });
    for (const { headers } of [beyond, another]) {
      expect(['etag', 'repr-digest', 'content-disposition'].filter((name) => headers.has(name))).toEqual([]);
    }
  });

  it('heeds no condition or range that HTTP has not for it', async () => {
    const server = await startRest();
    const path = `/scans/${await reported(server)}/report/csv`;
    const dated = await server.get(path, { 'if-unmodified-since': 'Wed, 21 Oct 2015 07:28:00 GMT' });
    expect(dated.status).toBe(200);
    const authorization = 'Bearer ours';
    const head = await fetch(`${server.url}/api${path}`, {
      method: 'HEAD',
      headers: { authorization, range: 'bytes=0-3' },
    });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, `${(await dated.blob()).size}`]);
  });

  it('is told before by HEAD, also of a stream', async () => {
    const server = await startRest();
    const url = `${server.url}/api/scans/${await reported(server)}/events`;
    const head = await fetch(url, { method: 'HEAD', headers: { authorization: 'Bearer ours' } });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });
});

describe('a header that is asked for', () => {
  it('has the bounds that are described', async () => {
    const server = await startRest();
    const schemaOf = (operation: z.output<typeof Operation> | undefined, header: string) =>
      operation?.parameters.find(({ name }) => name === header)?.schema;
    const key = schemaOf(paths['/api/scans']?.post, 'Idempotency-Key');
    expect(key).toEqual({ type: 'string', minLength: 8, maxLength: 200 });
    const submit = (length: number) =>
      server.post('/scans', { targets: ['127.0.0.1:1'] }, { 'idempotency-key': 'k'.repeat(length) });
    expect(await Promise.all([7, 8, 200, 201].map(async (length) => (await submit(length)).status))).toEqual([
      400, 202, 202, 400,
    ]);
    const seen = schemaOf(paths['/api/scans/{scan_id}/events']?.get, 'Last-Event-ID');
    expect(seen).toEqual({ type: 'integer', minimum: 0, maximum: 999_999_999_999_999 });
    const events = `/scans/${await reported(server)}/events`;
    const follow = async (id: string) => (await server.get(events, { 'last-event-id': id })).status;
    expect(await Promise.all(['9'.repeat(15), '9'.repeat(16)].map(follow))).toEqual([200, 400]);
  });
});

describe('a method that a route has not', () => {
  it('is refused by name at every route of the document', async () => {
    const server = await startRest();
    for (const path of Object.keys(paths)) {
      const url = `${server.url}${path.replaceAll(/\{\w+\}/g, 'x')}`;
      const answer = await fetch(url, { method: 'DELETE', headers: { authorization: 'Bearer ours' } });
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([
        path,
        405,
        expect.stringMatching(/GET|POST/),
      ]);
    }
  });
});
