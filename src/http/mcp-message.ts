import { z } from 'zod';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { traceIdIn } from '../model/ids.ts';
import { HttpRefusal } from './refusal.ts';

/** Messages one POST may hold. The current protocol has no batches; those of 2025-03-26 are small. */
const MAX_BATCH = 16;

/** What `_meta` may be: tokens and trace ids are small, and it is kept for as long as the request waits. */
const MAX_META_CHARS = 4_096;
/** What a client may say of itself, an icon included: it is kept for as long as its session. */
const MAX_BEGINNING_CHARS = 32_768;
/** A value takes up memory besides its text: as much as this many characters. */
const CHARS_PER_VALUE = 32;

const WithMeta = z.object({ params: z.object({ _meta: z.unknown() }) });
const WithParams = z.object({ params: z.unknown() });
const Cancelled = z.object({
  method: z.literal('notifications/cancelled'),
  params: z.object({ requestId: z.union([z.string(), z.number()]) }),
});

const Traced = z.object({ params: z.object({ _meta: z.object({ traceparent: z.string() }) }) });

/** The trace a message names itself. Of a batch none: its answer is one. */
export function traceIdOfMessage(body: unknown): string | undefined {
  const traced = Traced.safeParse(body);
  return traced.success ? traceIdIn(traced.data.params._meta.traceparent) : undefined;
}

/** A message, or a list of them, that begins a session. */
export const isBeginning = (body: unknown): boolean =>
  Array.isArray(body) ? body.some((message) => isInitializeRequest(message)) : isInitializeRequest(body);

/** Ids of the requests that a message, or a list of them, takes back. */
export function cancelledIn(body: unknown): readonly (string | number)[] {
  const found = (Array.isArray(body) ? body : [body]).map((message) => Cancelled.safeParse(message));
  return found.flatMap(({ data }) => (data ? [data.params.requestId] : []));
}

/** @throws HttpRefusal 400 for what is no message, too many, or more than is kept of one */
export function checkMessage(body: unknown): void {
  if (typeof body !== 'object' || body === null) throw new HttpRefusal(400, 'The body is no JSON-RPC message.');
  if (!Array.isArray(body)) {
    checkKept(body);
    return;
  }
  if (body.length === 0) throw new HttpRefusal(400, 'The batch holds no message.');
  if (body.length > MAX_BATCH) {
    throw new HttpRefusal(400, `A batch may hold ${MAX_BATCH} messages; this one holds ${body.length}.`);
  }
  for (const message of body) checkKept(message);
}

function checkKept(message: unknown): void {
  checkMeta(message);
  const { data } = WithParams.safeParse(message);
  if (!isInitializeRequest(message) || fits(data?.params, MAX_BEGINNING_CHARS, CHARS_PER_VALUE)) return;
  throw new HttpRefusal(400, 'The params of initialize are too large.', 'Leave out what a server need not know.');
}

function checkMeta(message: unknown): void {
  const found = WithMeta.safeParse(message);
  if (!found.success || fits(found.data.params._meta, MAX_META_CHARS, 1)) return;
  throw new HttpRefusal(400, `_meta may hold ${MAX_META_CHARS} characters.`, 'Send what the call needs as arguments.');
}

/** Without recursion, and no further than it must: the value is of any depth and size. */
function fits(value: unknown, chars: number, perValue: number): boolean {
  let left = chars;
  const rest: unknown[] = [value];
  while (rest.length > 0 && left >= 0) {
    const next = rest.pop();
    left -= typeof next === 'string' ? next.length + perValue : perValue;
    if (typeof next !== 'object' || next === null) continue;
    const entries = Object.entries(next);
    if (entries.length > left) return false;
    for (const [key, inner] of entries) {
      left -= Array.isArray(next) ? 0 : key.length;
      rest.push(inner);
    }
  }
  return left >= 0;
}
