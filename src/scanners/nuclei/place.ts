import { isIP } from 'node:net';
import type { z } from 'zod';
import type { Location } from '../../model/finding.ts';
import { defined, textOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { hostOfUrl, shownUrl } from '../web-place.ts';

type LocationInput = z.input<typeof Location>;

const MAX_PLACE = 4_000;

/**
 * Where a result was found. `matched-at` is a URL, `host:port`, a host or, for file templates, a path; older versions
 * call it `matched`.
 */
export function nucleiPlace(result: JsonObject): LocationInput {
  const matched = textOf(result['matched-at'] ?? result['matched']) ?? textOf(result['url']) ?? textOf(result['host']);
  if (textOf(result['type']) === 'file') return { ...defined({ file: matched, line: lineOf(result['matched-line']) }) };
  const ip = addressOf(result['ip']);
  const place = placeOf(matched?.slice(0, MAX_PLACE) ?? '', result);
  return {
    ...place,
    ...defined({
      ip: ip ?? (place.host !== undefined && isIP(place.host) !== 0 ? place.host : undefined),
      protocol: place.port === undefined ? undefined : 'tcp',
      method: textOf(result['fuzzing_method']),
      parameter: textOf(result['fuzzing_parameter']),
    }),
  };
}

function placeOf(matched: string, result: JsonObject): LocationInput {
  const web = hostOfUrl(matched);
  if (web) return { ...defined(web), url: withoutRandom(shownUrl(matched)) };
  const { host, port } = hostAndPort(matched);
  return defined({ host, port: port ?? wholeOf(result['port'], 0, 65_535) });
}

/** `app.test:22`, `[::1]:22`, `::1`, `app.test`; a path behind it is left out. */
function hostAndPort(text: string): { host: string | undefined; port?: number } {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.%]+)\]|([^:/\s]+))(?::(\d{1,5}))?(?=$|[/\s])/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined) return { host, ...(port <= 65_535 ? { port } : {}) };
  return { host: text === '' ? undefined : text };
}

const addressOf = (value: unknown): string | undefined =>
  typeof value === 'string' && isIP(value) !== 0 ? value : undefined;

function lineOf(value: unknown): number | undefined {
  return wholeOf(Array.isArray(value) ? value[0] : value, 0);
}

/** Names that interactsh makes up for every request, and the random text of `{{randstr}}` (27 letters and digits). */
const OUT_OF_BAND = /\b[a-z0-9]{20,63}\.(?=(?:interact\.sh|oast\.(?:pro|live|site|online|fun|me))\b)/gi;
const RANDOM = /(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{27}(?![A-Za-z0-9])/g;

/** The URL is part of the fingerprint: what is different in every run must not be in it. */
const withoutRandom = (url: string): string =>
  url.length < 27 ? url : url.replace(OUT_OF_BAND, '{{interactsh}}.').replace(RANDOM, '{{randstr}}');
