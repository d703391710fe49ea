import { withoutUserInfo } from '../model/mask.ts';

/** Port that a URL of this scheme means when it names none. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'ws:': 80,
  'https:': 443,
  'wss:': 443,
  'ftp:': 21,
};

/** Host (IPv6 without brackets) and port of an absolute URL, if it is one. */
export function hostOfUrl(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  if (!text.includes('://') || !URL.canParse(text)) return undefined;
  const { hostname, port, protocol } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === '') return undefined;
  return { host, port: port === '' ? DEFAULT_PORTS[protocol] : Number(port) };
}

/** A URL as it may be shown: its user info may be the login of whoever ran the scanner. */
export const shownUrl = (text: string): string => (text.includes('@') ? withoutUserInfo(text) : text);
