import type { Request } from 'express';
import { AppError } from '../../model/errors.ts';
import { readJsonBody } from '../json-body.ts';

export const MIN_KEY = 8;
export const MAX_KEY = 200;

export type Arguments = Readonly<Record<string, unknown>>;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Told how large the body is. @throws AppError rate_limited when there is no room for it */
  readonly onSize: (bytes: number) => void;
}

/**
 * The arguments of a call: those of the path, and of the query or the body. A name that is repeated in the query is a
 * list; whoever reads the arguments knows what a list may be.
 * @param takesKey The route knows `Idempotency-Key`; elsewhere it is an unknown argument, which the tool refuses.
 * @throws AppError invalid_request
 */
export async function argumentsOf(
  request: Request,
  { method, takesKey, ...body }: BodyLimits & { readonly method: 'get' | 'post'; readonly takesKey: boolean },
): Promise<Arguments> {
  const inPath = Object.entries(request.params);
  const inQuery = queryOf(request);
  if (method === 'post' && inQuery.length > 0)
    throw new AppError('invalid_request', 'The arguments of a POST are in its body, as JSON, not in the query.');
  const others = method === 'post' ? await bodyOf(request, body) : inQuery;
  const twice = others.find(([name]) => inPath.some(([other]) => other === name));
  if (twice) throw new AppError('invalid_request', `${twice[0]} is in the path already.`);
  const inHeader = idempotencyKeyOf(request, others);
  if (takesKey) for (const [, key] of inHeader) checkKey(key);
  return Object.fromEntries([...others, ...inPath, ...inHeader]);
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

async function bodyOf(request: Request, { maxBytes, onSize }: BodyLimits): Promise<Entries> {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && length === '0') return [];
  onSize(coding === undefined ? Math.min(maxBytes, Number(length)) : maxBytes);
  const body = await readJsonBody(request, maxBytes, onSize);
  if (isRecord(body)) return Object.entries(body);
  throw new AppError('invalid_request', 'The body must be a JSON object.');
}

/**
 * A structured field string, or the bare key.
 * Source: draft-ietf-httpapi-idempotency-key-header-07.
 */
function idempotencyKeyOf(request: Request, others: Entries): readonly (readonly [string, string])[] {
  const header = request.get('idempotency-key');
  if (header === undefined) return [];
  const key = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? header.trim();
  const inBody = others.find(([name]) => name === 'idempotency_key')?.[1];
  if (inBody !== undefined && inBody !== null && inBody !== key)
    throw new AppError('invalid_request', 'Idempotency-Key and idempotency_key differ.');
  return [['idempotency_key', key]];
}

/** Said here, where it is known that it came in a header. The bounds are those of `idempotency_key`. */
function checkKey(key: string): void {
  if (key.length >= MIN_KEY && key.length <= MAX_KEY) return;
  const told = `The header Idempotency-Key must have ${MIN_KEY} to ${MAX_KEY} characters; this one has ${key.length}.`;
  throw new AppError('invalid_request', told, { hint: 'Send one that is new for every scan you want, e.g. a UUID.' });
}
