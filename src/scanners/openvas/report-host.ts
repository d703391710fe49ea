import type { LoginOutcome, Place } from '../../model/coverage.ts';
import { childrenOf, textOf, type XmlNode } from '../xml-tree.ts';

/**
 * What the report says of one `<host>`: the scanner writes its end when it has gone through all checks. A host that did
 * not answer is not listed at all.
 */
export function hostPlace(host: XmlNode): Place | undefined {
  const place = textOf(host, 'ip');
  if (place === undefined) return undefined;
  const login = loginOf(host);
  return {
    place: place.slice(0, 500),
    ...(textOf(host, 'end') === undefined
      ? { status: 'partial' as const, reason: 'The scanner did not come to the end of this host.' }
      : { status: 'tested' as const }),
    ...(login === undefined ? {} : { login }),
  };
}

/** A host that an old version says it came to the end of. */
export function oldHostPlace(hostEnd: XmlNode): Place | undefined {
  const place = textOf(hostEnd, 'host');
  return place === undefined ? undefined : { place: place.slice(0, 500), status: 'tested' };
}

/** Names of the details are `Auth-SSH-Success`, `Auth-SMB-Failure`, ...; one of each makes it partial. */
function loginOf(host: XmlNode): LoginOutcome | undefined {
  const names = childrenOf(host, 'detail').map((detail) => textOf(detail, 'name') ?? '');
  const said = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const [works, fails] = [said(/^Auth-\w+-Success$/i), said(/^Auth-\w+-Failure$/i)];
  if (works) return fails ? 'partial' : 'success';
  return fails ? 'failed' : undefined;
}

/**
 * An `<error>`: a check that was not done to its end.
 * @param isKnown whether the report holds anything else of that host
 */
export function errorPlace(place: string, isKnown: boolean): Place {
  return isKnown
    ? { place, status: 'partial', reason: 'The report lists errors of checks at this host.' }
    : { place, status: 'unreachable', reason: 'The report holds nothing of this host but errors.' };
}
