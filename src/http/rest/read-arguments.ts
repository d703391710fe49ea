import type { Request } from 'express';
import { AppError } from '../../model/errors.ts';
import { HttpRefusal } from '../http-app.ts';

export type Arguments = Readonly<Record<string, unknown>>;

/**
 * The arguments of a call: those of the path, and of the query or the body. A name that is repeated in the query is a
 * list; whoever reads the arguments knows what a list may be.
 * @throws AppError invalid_request
 */
export function argumentsOf(request: Request, method: 'get' | 'post'): Arguments {
  const inPath = Object.entries(request.params);
  const inQuery = queryOf(request);
  if (method === 'post' && inQuery.length > 0)
    throw new AppError('invalid_request', 'The arguments of a POST are in its body, as JSON, not in the query.');
  const others = method === 'post' ? bodyOf(request) : inQuery;
  const twice = others.find(([name]) => inPath.some(([other]) => other === name));
  if (twice) throw new AppError('invalid_request', `${twice[0]} is in the path already.`);
  return Object.fromEntries([...others, ...inPath, ...idempotencyKeyOf(request, others)]);
}

type Entries = readonly (readonly [string, unknown])[];

function queryOf({ originalUrl }: Request): Entries {
  const at = originalUrl.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : originalUrl.slice(at));
  return [...new Set(query.keys())].map((name) => {
    const values = query.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function bodyOf(request: Request): Entries {
  const body: unknown = request.body;
  if (isRecord(body)) return Object.entries(body);
  if (body !== undefined) throw new AppError('invalid_request', 'The body must be a JSON object.');
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && (length === undefined || length === '0')) return [];
  throw new HttpRefusal(415, 'The body must be application/json.', 'Send Content-Type: application/json.');
}

/**
 * A structured field string, or the bare key. Only where it means something: elsewhere it is an unknown argument.
 * Source: draft-ietf-httpapi-idempotency-key-header-07.
 */
function idempotencyKeyOf(request: Request, others: Entries): Entries {
  const header = request.get('idempotency-key');
  if (header === undefined) return [];
  const key = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? header.trim();
  const inBody = others.find(([name]) => name === 'idempotency_key')?.[1];
  if (inBody !== undefined && inBody !== null && inBody !== key)
    throw new AppError('invalid_request', 'Idempotency-Key and idempotency_key differ.');
  return [['idempotency_key', key]];
}
