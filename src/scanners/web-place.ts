import { withoutUserInfo } from '../model/mask.ts';

/** More of a URL is never shown, and more of a request neither. */
const MAX_URL = 4_000;
const MAX_REQUEST = 20_000;

/** Port that a URL of this scheme means when it names none. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'ws:': 80,
  'https:': 443,
  'wss:': 443,
  'ftp:': 21,
};

/** Most URLs: the full parser would change nothing about these names, and costs ten times as much. */
const PLAIN_URL = /^(https?:)\/\/((?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,24})(?::([1-9]\d{0,3}))?(?=[/?#]|$)/;

/** Host (IPv6 without brackets) and port of an absolute URL, if it is one. */
export function hostOfUrl(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  if (text.length > MAX_URL) return hostOfUrl(text.slice(0, MAX_URL));
  const [, scheme = '', plain, digits] = PLAIN_URL.exec(text) ?? [];
  if (plain !== undefined) return { host: plain, port: digits === undefined ? DEFAULT_PORTS[scheme] : Number(digits) };
  if (!text.includes('://') || !URL.canParse(text)) return undefined;
  const { hostname, port, protocol } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === '') return undefined;
  return { host, port: port === '' ? DEFAULT_PORTS[protocol] : Number(port) };
}

/** A URL as it may be shown: its user info may be the login of whoever ran the scanner. */
export const shownUrl = (text: string): string => {
  const shown = text.slice(0, MAX_URL);
  return shown.includes('@') ? withoutUserInfo(shown) : shown;
};

/**
 * The URL of a file or repository without its scheme and login: `git.test/app/a.c`. Nothing takes its host for one that
 * was looked at then.
 */
export const keptPath = (uri: string): string =>
  uri.replace(/^(?:[a-z][a-z0-9+.-]*:)?[\\/]{2}(?:[^\\/?#@]{0,500}@)?/i, '');

const LOGIN_HEADER = /^(?:proxy-)?authorization$|^cookie$|^x-.*(?:key|token)/i;

/**
 * Text of an HTTP request without the login of whoever ran the scanner. The name of a header is matched by itself: one
 * pattern for the whole line would be quadratic in a hostile one.
 */
export const withoutLogin = (request: string): string =>
  request
    .slice(0, MAX_REQUEST)
    .replace(/^([\w-]{1,100}):.*$/gm, (line, name: string) => (LOGIN_HEADER.test(name) ? `${name}: ***` : line));
