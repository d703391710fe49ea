import { z } from 'zod';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { traceIdIn } from '../model/ids.ts';
import { HttpRefusal } from './refusal.ts';

/** Messages one POST may hold. The current protocol has no batches; those of 2025-03-26 are small. */
const MAX_BATCH = 16;

const Traced = z.object({ params: z.object({ _meta: z.object({ traceparent: z.string() }) }) });

/** The trace a message names itself. Of a batch none: its answer is one. */
export function traceIdOfMessage(body: unknown): string | undefined {
  const traced = Traced.safeParse(body);
  return traced.success ? traceIdIn(traced.data.params._meta.traceparent) : undefined;
}

/** A message, or a list of them, that begins a session. */
export const isBeginning = (body: unknown): boolean =>
  Array.isArray(body) ? body.some((message) => isInitializeRequest(message)) : isInitializeRequest(body);

/** @throws HttpRefusal 400 for what is no message, or too many */
export function checkMessage(body: unknown): void {
  if (typeof body !== 'object' || body === null) throw new HttpRefusal(400, 'The body is no JSON-RPC message.');
  if (!Array.isArray(body)) return;
  if (body.length === 0) throw new HttpRefusal(400, 'The batch holds no message.');
  if (body.length > MAX_BATCH) {
    throw new HttpRefusal(400, `A batch may hold ${MAX_BATCH} messages; this one holds ${body.length}.`);
  }
}
