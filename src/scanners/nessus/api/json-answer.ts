import { z } from 'zod';
import type { TextReply } from './exchange.ts';

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

/** Proxies and login pages answer with web pages, and with status 200. */
const PAGES = new Set(['text/html', 'application/xhtml+xml']);

/** A page of whoever stands in between says nothing about the scanner, whatever its status. */
export const isPage = ({ type }: Pick<TextReply, 'type'>): boolean => PAGES.has(type);

/** An answer to a write may be empty. */
export const readWritten = <T>(reply: TextReply, schema: z.ZodType<T>): Read<T> =>
  readJson(reply.text.trim() === '' || reply.text.trim() === 'null' ? { ...reply, text: '{}' } : reply, schema);

/** An answer as what it has to be. */
export function readJson<T>({ type, text }: TextReply, schema: z.ZodType<T>): Read<T> {
  if (isPage({ type })) return { ok: false, why: 'it answers with a web page instead of JSON' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: 'its answer is no whole JSON' };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const at = parsed.error.issues[0]?.path.join('.').slice(0, 60);
  return { ok: false, why: `its answer is not as expected (${at === undefined || at === '' ? 'at the top' : at})` };
}

const ErrorBody = z.object({ error: z.string() });

/** What an error answer says, if it is one of this API; not cleaned yet. */
export function errorWords(text: string): string {
  try {
    return ErrorBody.safeParse(JSON.parse(text)).data?.error.slice(0, 1_000) ?? '';
  } catch {
    return '';
  }
}
