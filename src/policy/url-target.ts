import type { Target } from '../model/target.ts';
import { formatAddress } from './address.ts';
import { bracketed, hostAddress, splitPort } from './authority.ts';
import { hostName } from './host-name.ts';
import { MAX_LENGTH, refuse } from './spelling.ts';

/** What RFC 3986 allows after the authority, without the comma; other scripts are percent-encoded by the parser. */
const REST = /^[a-z0-9\-._~:/?#[\]@!$&'()*+;=%\u0080-\u{10FFFF}]*$/iu;

/**
 * Reads an http(s) URL. The host is judged on the raw text: the URL standard would turn `0x7f.1`, `127.1` and circled
 * digits into 127.0.0.1 without a word.
 * @throws AppError target_invalid
 */
export function urlTarget(text: string): Extract<Target, { kind: 'url' }> {
  const { scheme, authority, rest } = partsOf(text);
  const { host, port } = splitPort(text, authority);
  const address = hostAddress(text, host);
  const name = address ? formatAddress(address) : hostName(text, host);
  const inUrl = address ? bracketed(address) : name;
  const url = standardUrl(text, `${scheme}://${inUrl}${port === undefined ? '' : `:${port}`}${rest}`, inUrl);
  return {
    kind: 'url',
    text: url.href,
    scheme,
    host: name,
    isAddress: address !== undefined,
    port: port ?? (scheme === 'https' ? 443 : 80),
    path: `${url.pathname}${url.search}`,
  };
}

function partsOf(text: string): { scheme: 'http' | 'https'; authority: string; rest: string } {
  const match = /^(https?):\/\/([^/?#\\]*)(.*)$/is.exec(text);
  if (!match) refuse(text, 'only http:// and https:// URLs can be scanned');
  const [, scheme = '', authority = '', rest = ''] = match;
  if (authority.includes('@')) refuse(text, 'it holds user info; credentials are named by credential_ref');
  if (text.includes('\\')) refuse(text, 'it holds a backslash, which some tools read as a slash');
  if (!REST.test(rest)) refuse(text, 'it holds a character that a URL must percent-encode');
  return { scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http', authority, rest };
}

/** Normalises path and query; the host must come out as it went in. */
function standardUrl(text: string, written: string, host: string): URL {
  const url = URL.canParse(written) ? new URL(written) : refuse(text, 'it is no valid URL');
  if (url.hostname !== host) refuse(text, 'its host is read differently by URL tools');
  url.hash = '';
  if (url.href.length > MAX_LENGTH) refuse(text, `it is longer than ${MAX_LENGTH} characters once encoded`);
  return url;
}
