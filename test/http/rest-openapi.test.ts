import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import type { Router } from 'express';
import { z } from 'zod';
import { openApiDocument } from '../../src/http/rest/open-api.ts';
import { createDownloadRouter } from '../../src/http/rest/download-router.ts';
import { createDownloads } from '../../src/http/rest/downloads.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createRestRouter } from '../../src/http/rest/rest-router.ts';
import { END, found, placed } from '../findings/reports.ts';
import { finishedScan } from '../tools/finished-scan.ts';
import { restDeps, startRest } from './rest-server.ts';

const Operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean() })).default([]),
  responses: z.record(z.string(), z.unknown()),
});
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
const Files = z.object({ content: z.object({ '*/*': z.object({ schema: z.looseObject({}).default({}) }) }) });
const read = () => Document.parse(openApiDocument());

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(Object.assign({}, openApiDocument())));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('would not be, with a mistake in it', async () => {
    const { valid } = await new Validator().validate({ ...openApiDocument(), paths: { 'no-slash': {} } });
    expect(valid).toBe(false);
  });

  it('has every route of the router, and no other', async () => {
    const { app } = await startRest();
    const routesOf = (router: Router, at: string): string[] =>
      router.stack.flatMap(({ route }) =>
        (route?.stack ?? []).flatMap(({ method }) => (method === undefined ? [] : `${method} ${at}${route?.path}`)),
      );
    const downloads = createDownloads({ secrets: app.secrets, clock: systemClock });
    const served = [
      ...routesOf(createRestRouter(restDeps(app)), '/api'),
      ...routesOf(createDownloadRouter({ scans: app.scans, downloads }), ''),
    ];
    const written = Object.entries(read().paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    expect([...new Set(served)].toSorted()).toEqual(written.toSorted());
  });

  it('names each operation once, and every parameter of its path', () => {
    const operations = Object.entries(read().paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter(({ in: place, required }) => place === 'path' && required);
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  it('is what the server serves, and what the docs hold', async () => {
    const server = await startRest();
    const answer = await server.get('/openapi.json');
    expect(await answer.json()).toEqual(openApiDocument());
    expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(openApiDocument());
  });

  it('describes the answers as they are', async () => {
    const server = await startRest();
    const { app, data } = server;
    const report = [placed('10.0.0.1', 'tested'), found({ severity: 'high', cves: ['CVE-2021-44228'] }), END];
    const scanId = await finishedScan({ queue: app.queue, data }, report);
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const { schemas } = read().components;
    const fits = async (path: string, name: string): Promise<void> => {
      const isFit = ajv.compile(schemas[name] ?? false);
      const body: unknown = await (await server.get(path)).json();
      expect(isFit(body), `${path}: ${JSON.stringify(isFit.errors)}`).toBe(true);
    };
    await fits(`/scans/${scanId}`, 'GetScanStatus');
    await fits('/scans', 'ListScans');
    await fits(`/scans/${scanId}/findings?detail=full`, 'GetScanResults');
    await fits(`/findings/${scanId}.1`, 'GetFinding');
    await fits('/findings?cve=CVE-2021-44228', 'SearchFindings');
    await fits('/scanners', 'ListScanners');
    await fits('/queue', 'GetQueueStatus');
    // A file may be JSON or text: what is said of it has to hold for each.
    const { content } = Files.parse(read().paths['/api/scans/{scan_id}/report/{format}']?.['get']?.responses['200']);
    const isFile = ajv.compile(content['*/*'].schema);
    expect(isFile(await (await server.get(`/scans/${scanId}/report/json`)).json())).toBe(true);
    expect(isFile(await (await server.get(`/scans/${scanId}/report/csv`)).text())).toBe(true);
    await fits('/scans/unknown', 'Problem');
    await fits('/nowhere', 'Problem');
  });
});
