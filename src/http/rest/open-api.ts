import { z } from 'zod';
import { ExportFormat } from '../../model/contract/export.ts';
import { StreamedEvent } from '../../model/contract/events.ts';
import { ERROR_CATALOG } from '../../model/errors.ts';
import {
  ETAG,
  fileResponses,
  IDEMPOTENCY_HEADER,
  IF_NONE_MATCH,
  LAST_ID,
  LOCATION,
  POLL,
  PROBLEM_HEADERS,
  RANGE,
  TRACE,
  UNBUFFERED,
} from './open-api-headers.ts';
import type { Arguments } from './read-arguments.ts';
import { ROUTES, type AnswerKind, type Route } from './routes.ts';

type Json = Arguments;

/** Of the interface, not of the program: raised when what stands here changes. */
const API_VERSION = '1.0.0';

let made: Json | undefined;

/** The OpenAPI 3.1 document of every REST route, from the schemas that read and make what it describes. */
export function openApiDocument(): Json {
  made ??= documentOf(ROUTES);
  return made;
}

function documentOf(routes: readonly Route[]): Json {
  const paths = new Map<string, Record<string, Json>>();
  for (const route of routes) {
    const path = `/api${route.path}`;
    paths.set(path, { ...paths.get(path), [route.method]: operationOf(route) });
  }
  paths.set('/api/downloads/{token}', { get: DOWNLOAD });
  paths.set('/api/openapi.json', { get: THIS_DOCUMENT });
  return {
    openapi: '3.1.1',
    info: {
      title: 'scanmux',
      version: API_VERSION,
      description: 'Vulnerability scans over HTTP. docs/rest.md says what these schemas cannot.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [{ name: 'scans' }, { name: 'findings' }, { name: 'operation' }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a token of the OIDC issuer.' },
      },
      schemas: { Problem: PROBLEM, ...Object.fromEntries(routes.filter(hasAnswer).map(answerSchema)) },
      responses: {
        Problem: {
          description: 'What went wrong (RFC 9457), with a code of docs/errors.md.',
          headers: PROBLEM_HEADERS,
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

/** As src/http/problem.ts makes it. */
const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'hint', 'retryable', 'trace_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERROR_CATALOG) },
    hint: { type: 'string', description: 'What to do next.' },
    retryable: { type: 'boolean', description: 'The same request may succeed later by itself.' },
    trace_id: { type: 'string' },
    targets: { type: 'array', items: { type: 'string' } },
  },
};

const THIS_DOCUMENT = {
  operationId: 'get_openapi',
  summary: 'This document',
  tags: ['operation'],
  responses: {
    200: {
      description: 'OpenAPI 3.1',
      headers: TRACE,
      content: { 'application/json': { schema: { type: 'object' } } },
    },
    default: { $ref: '#/components/responses/Problem' },
  },
};

/** Its route is in download-router.ts: it stands before the authenticator. */
const DOWNLOAD = {
  operationId: 'download_export',
  summary: 'Fetch an export by its link',
  description: 'The download_url that export_report answers over MCP. Good for five minutes; the link is the key.',
  tags: ['scans'],
  security: [],
  parameters: [{ name: 'token', in: 'path', required: true, schema: { type: 'string' } }, IF_NONE_MATCH, RANGE],
  responses: { ...fileResponses('The file.'), default: { $ref: '#/components/responses/Problem' } },
};

const hasAnswer = ({ answer }: Route): boolean => answer !== 'file' && answer !== 'events';

const schemaName = ({ tool }: Route): string =>
  tool.name.replaceAll(/(?:^|_)([a-z])/g, (_whole, letter: string) => letter.toUpperCase());

const answerSchema = (route: Route): [string, Json] => [schemaName(route), schemaOf(route.tool.output, 'output')];

function operationOf(route: Route): Json {
  const { tool, path, method, answer } = route;
  const { properties = {}, required = [] } = Shape.parse(schemaOf(tool.input, 'input'));
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const others = Object.keys(properties).filter((name) => !inPath.includes(name));
  const part = (name: string): Json => properties[name] ?? {};
  const headers = others.includes('idempotency_key') ? [IDEMPOTENCY_HEADER] : answer === 'events' ? [LAST_ID] : [];
  const parameters = [
    ...inPath.map((name) => parameter(name, 'path', part(name), true)),
    ...(method === 'get' ? others.map((name) => parameter(name, 'query', part(name), required.includes(name))) : []),
    ...headers,
    ...(answer === 'status' || answer === 'file' ? [IF_NONE_MATCH] : []),
    ...(answer === 'file' ? [RANGE] : []),
  ];
  const body = Object.fromEntries(others.map((name) => [name, part(name)]));
  const neededInBody = required.filter((name) => others.includes(name));
  return {
    operationId: tool.name,
    summary: tool.title,
    description: tool.description,
    tags: [tagOf(path)],
    parameters,
    ...(method === 'post' && others.length > 0 && { requestBody: bodyOf(body, neededInBody) }),
    responses: { ...RESPONSES[answer](route), default: { $ref: '#/components/responses/Problem' } },
  };
}

const tagOf = (path: string): string =>
  path.startsWith('/scans') ? 'scans' : /^\/(findings|compare)/.test(path) ? 'findings' : 'operation';

const bodyOf = (properties: Json, required: readonly string[]): Json => ({
  required: required.length > 0,
  content: {
    'application/json': {
      schema: { type: 'object', properties, additionalProperties: false, ...(required.length > 0 && { required }) },
    },
  },
});

/** Lists are repeated: `?severity_levels=high&severity_levels=critical`. */
function parameter(name: string, place: 'path' | 'query', part: Json, required: boolean): Json {
  const { description, ...schema } = part;
  return { name, in: place, required, ...(description !== undefined && { description }), schema };
}

const jsonAnswer = (route: Route, description: string, headers: Json = {}): Json => ({
  description,
  headers: { ...TRACE, ...headers },
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(route)}` } } },
});

const RESPONSES: Readonly<Record<AnswerKind, (route: Route) => Json>> = {
  json: (route) => ({ 200: jsonAnswer(route, 'The answer.') }),
  accepted: (route) => {
    const headers = { ...POLL, ...LOCATION };
    return {
      200: jsonAnswer(route, 'The scan has ended already.', headers),
      202: jsonAnswer(route, 'The scan is under way.', headers),
    };
  },
  status: (route) => ({
    200: jsonAnswer(route, 'The answer.', { ...ETAG, ...POLL }),
    304: { description: 'Nothing has changed.', headers: { ...TRACE, ...ETAG, ...POLL } },
  }),
  file: () => fileResponses(`The file; format is one of ${ExportFormat.options.join(', ')}.`),
  events: () => ({
    200: {
      description: 'Each data line is one JSON object as described here.',
      headers: { ...TRACE, ...UNBUFFERED },
      content: { 'text/event-stream': { schema: schemaOf(StreamedEvent, 'output') } },
    },
    204: { description: 'The scan has ended, and the reader knows it.', headers: TRACE },
  }),
};

const Shape = z.looseObject({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  required: z.array(z.string()).optional(),
});

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...found } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, override: trim });
  return found;
}

/** Bounds that only say "a safe integer", and a pattern that says what the format says. */
function trim({ jsonSchema: part }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
  if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
  if (part.format === 'date-time') delete part.pattern;
}
