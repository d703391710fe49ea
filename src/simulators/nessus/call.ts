import type { Answer } from './answer.ts';
import { Refusal } from './answer.ts';
import type { Server } from './server-state.ts';
import { z } from 'zod';

/** One request, understood as far as its route goes. */
export interface Call {
  /** The values of `{...}` in the route. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly auth: AuthKind;
  readonly server: Server;
}

export type AuthKind = 'keys' | 'session' | 'none' | 'refused';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{id}`, `{hid}` and `{pid}` are numbers; other names are anything but a slash. */
  readonly path: string;
  /** Answered without login. */
  readonly isOpen?: boolean;
  /** Answers 412 where the licence has no scan_api. */
  readonly needsScanApi?: boolean;
  /** Tenable Vulnerability Management only, or everywhere else only. */
  readonly only?: 'cloud' | 'self_hosted';
  readonly handle: (call: Call) => Answer;
}

/** The JSON of a body; an empty body is an empty object. @throws Refusal 400 */
export function bodyOf<T>({ body }: Call, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal(400, 'Invalid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.findLast((part) => typeof part === 'string') ?? 'body';
  throw new Refusal(400, `Invalid '${field === 'text_targets' ? 'targets' : String(field)}' field`);
}
