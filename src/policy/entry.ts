import { AppError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import { isSlippery, LOOPBACK_RANGES, type Matcher } from './rules.ts';
import { parseTarget, rangeOfTarget } from './target.ts';

export type ParsedEntry =
  | { readonly ok: true; readonly matcher: Matcher; readonly canonical: string }
  | { readonly ok: false; readonly reason: string };

/** Reads one entry of the policy: the grammar of targets without ports, and `*.suffix`. */
export function parseEntry(text: string): ParsedEntry {
  try {
    if (text.startsWith('*.')) return suffixEntry(text);
    return matcherOf(parseTarget(text));
  } catch (error) {
    if (error instanceof AppError) return { ok: false, reason: `${error.message} ${error.hint}` };
    throw error;
  }
}

function suffixEntry(text: string): ParsedEntry {
  const target = parseTarget(text.slice(2));
  if (target.kind !== 'host' || target.port !== undefined) {
    return { ok: false, reason: `${JSON.stringify(text)}: only a domain name stands after "*."` };
  }
  return { ok: true, matcher: { ranges: [], suffix: target.host }, canonical: `*.${target.host}` };
}

function matcherOf(target: Target): ParsedEntry {
  if (target.kind === 'url') return urlEntry(target);
  if (target.kind !== 'network' && target.port !== undefined) {
    return { ok: false, reason: `${JSON.stringify(target.text)}: an entry has no port; write the host, or a URL.` };
  }
  if (target.kind === 'host') {
    const ranges = target.host === 'localhost' ? LOOPBACK_RANGES : [];
    return { ok: true, matcher: { ranges, host: target.host }, canonical: target.text };
  }
  const range = rangeOfTarget(target);
  return { ok: true, matcher: { ranges: range ? [range] : [] }, canonical: target.text };
}

function urlEntry(target: Extract<Target, { kind: 'url' }>): ParsedEntry {
  if (target.path.includes('?')) {
    return { ok: false, reason: `${JSON.stringify(target.text)}: a URL entry ends with its path, without a query.` };
  }
  if (isSlippery(target.path)) {
    return { ok: false, reason: `${JSON.stringify(target.text)}: the path holds encoded slashes, dots or percents.` };
  }
  const { scheme, host, port } = target;
  const url = { scheme, host, port, path: target.path.replace(/\/+$/, '') };
  return { ok: true, matcher: { ranges: [], url }, canonical: target.text };
}
