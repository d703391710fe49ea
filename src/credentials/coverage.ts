import { parseAddress, single } from '../policy/address.ts';
import { covers, namesTarget } from '../policy/rules.ts';
import { rangeOfTarget } from '../policy/target.ts';
import type { CheckedTarget } from './credentials.ts';
import type { KnownCredential } from './read-credentials.ts';

/**
 * Why a credential may not be sent to a target: one clause that follows the target, undefined when it may. A target that
 * is addresses must lie in one entry. A name counts as the addresses it resolved to just now, each of which must lie in an
 * entry, so that a name which has moved gets nothing; only with `trust_dns` is the name itself enough.
 */
export function outsideOf({ entry, covers: matchers }: KnownCredential, checked: CheckedTarget): string | undefined {
  const { target, addresses } = checked;
  const ranges = matchers.flatMap((matcher) => matcher.ranges);
  const own = rangeOfTarget(target);
  if (own) return covers(ranges, own) ? undefined : 'is outside its targets';
  if (entry.trust_dns && matchers.some((matcher) => namesTarget(matcher, target))) return undefined;
  if (addresses.length === 0) return 'has no checked address';
  const stray = addresses.find((text) => {
    const address = parseAddress(text);
    return !address || !covers(ranges, single(address));
  });
  return stray === undefined ? undefined : `resolves to ${stray}, which is outside its targets`;
}
