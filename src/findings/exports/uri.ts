import type { Location } from '../../model/finding.ts';

/** Everything but what RFC 3986 lets stand in a URI, and `%` that begins no escape. */
const NOT_IN_URI = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]/gu;
/** The same without what separates the parts of a URI. */
const NOT_IN_SEGMENT = /[^A-Za-z0-9\-._~@!$&'()*+,;=]/gu;

const percent = (char: string): string =>
  [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** One part of a path or an authority, with everything else escaped. */
export const uriSegment = (text: string): string => text.replace(NOT_IN_SEGMENT, percent);

/** `10.0.0.1`, `[2001:db8::1]`, `app.test`. */
const uriHost = (host: string): string =>
  /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(host) ? `[${host}]` : uriSegment(host);

const WEB = /^(https?:\/\/)([^/?#]*)(.*)$/is;

/** Text that is meant as a URL, as a valid URI (RFC 3986): what must not stand in one is escaped. */
export function uriOfUrl(url: string): string {
  const [, scheme, authority = '', rest = ''] = WEB.exec(url) ?? [];
  if (scheme === undefined) return uriPath(url);
  const bracketed = /^(\[[0-9A-Fa-f:.]+\])(:\d+)?$/.test(authority);
  const safeAuthority = bracketed ? authority : authority.replace(NOT_IN_URI, percent);
  // Only the first # begins a fragment.
  const [beforeFragment = '', ...fragments] = rest.split('#');
  const fragment = fragments.length > 0 ? `#${fragments.join('%23').replace(NOT_IN_URI, percent)}` : '';
  return `${scheme}${safeAuthority}${beforeFragment.replace(NOT_IN_URI, percent)}${fragment}`;
}

/** A file path as a relative or absolute URI reference. */
export const uriPath = (path: string): string => path.replaceAll('\\', '/').split('/').map(uriSegment).join('/');

/**
 * Where a finding is, as a URI reference: the URL, the path of a file, `oci://image`, `pkg:generic/...`, or for a network
 * place `tcp://host:port` and `ip://host`. Undefined when the finding has no place.
 */
export function locationUri(location: Location): string | undefined {
  const { url, file, image, package: pkg, version } = location;
  if (url !== undefined && url !== '') return uriOfUrl(url);
  if (file !== undefined && file !== '') return uriPath(file);
  if (image !== undefined && image !== '') return `oci://${image.replace(NOT_IN_URI, percent)}`;
  if (pkg !== undefined && pkg !== '')
    return `pkg:generic/${uriSegment(pkg)}${version === undefined ? '' : `@${uriSegment(version)}`}`;
  return networkUri(location);
}

function networkUri({ host, ip, port, protocol }: Location): string | undefined {
  const name = host ?? ip;
  if (name === undefined || name === '') return undefined;
  if (port === undefined) return `ip://${uriHost(name)}`;
  const scheme = /^[a-z][a-z0-9+.-]*$/.test(protocol ?? '') ? protocol : 'tcp';
  return `${scheme}://${uriHost(name)}:${port}`;
}

/** Absolute http(s) URIs only: what a viewer may offer to open. */
export const webUri = (text: string): string | undefined => (WEB.test(text) ? uriOfUrl(text) : undefined);
