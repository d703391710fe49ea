import { isFor, LOCAL_TENANT } from '../model/caller.ts';
import type { Intensity } from '../model/scan.ts';
import type { Target } from '../model/target.ts';
import { contains, parseAddress, range, single, type AddressRange } from './address.ts';
import { rangeOfTarget } from './target.ts';

/** A URL an entry names: its origin, and the path all targets must lie under. */
export interface UrlPrefix {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Without the slash at its end; empty for the whole origin. */
  readonly path: string;
}

/** What an entry of the policy covers. `localhost` is a host and the loopback ranges at once. */
export interface Matcher {
  readonly ranges: readonly AddressRange[];
  readonly host?: string;
  /** Labels below which every name matches, without `*.`. */
  readonly suffix?: string;
  readonly url?: UrlPrefix;
}

export interface DenyRule {
  /** As the operator wrote it. */
  readonly text: string;
  readonly matcher: Matcher;
  /** Whom the entry is for. Without it, what is denied is denied to all, and what is allowed is allowed to `local`. */
  readonly tenants?: readonly string[] | undefined;
}

export interface AllowRule extends DenyRule {
  readonly maxIntensity: Intensity;
  /** The entry holds before this moment, epoch milliseconds. */
  readonly expiresAt?: number;
}

/** A policy file, compiled. */
export interface WrittenRules {
  readonly allow: readonly AllowRule[];
  readonly deny: readonly DenyRule[];
  readonly maxHosts: number;
  readonly maxIntensity: Intensity;
}

/** Everything that decides about one tenant. */
export interface PolicyRules extends WrittenRules {
  readonly tenant: string;
  /** The scanner's own control addresses (a Nessus host, this server, a proxy): always denied unless named exactly. */
  readonly own: readonly AddressRange[];
}

/** Those of the rules that are about a tenant. */
export const rulesFor = <Rules extends WrittenRules>(
  rules: Rules,
  tenant: string,
): Rules & { readonly tenant: string } => ({
  ...rules,
  tenant,
  allow: rules.allow.filter(({ tenants }) => isFor(tenants, tenant)),
  deny: rules.deny.filter(({ tenants }) => tenants === undefined || isFor(tenants, tenant)),
});

/** What an operator types to open something for the tenant. */
export const allowCommand = ({ tenant }: Pick<PolicyRules, 'tenant'>, target: string): string =>
  `scanmux policy allow ${target}${tenant === LOCAL_TENANT ? '' : ` --tenant ${tenant}`}`;

export const LOOPBACK_RANGES: readonly AddressRange[] = [range('127.0.0.0/8'), range('::1')];

export const isActive = (rule: AllowRule, now: number): boolean => rule.expiresAt === undefined || now < rule.expiresAt;

/** `*.example.com` covers a.example.com and a.b.example.com; never example.com itself, never badexample.com. */
export const underSuffix = (host: string, suffix: string): boolean => host.endsWith(`.${suffix}`);

/** True when an entry names the target's host, or the URL it lies under. Says nothing about addresses. */
export function namesTarget(matcher: Matcher, target: Target): boolean {
  if (target.kind === 'address' || target.kind === 'network') return false;
  if (matcher.url) return target.kind === 'url' && underUrl(target, matcher.url);
  if (target.kind === 'url' && target.isAddress) return false;
  if (matcher.host !== undefined) return matcher.host === target.host;
  return matcher.suffix !== undefined && underSuffix(target.host, matcher.suffix);
}

type UrlTarget = Extract<Target, { kind: 'url' }>;

/**
 * Servers and proxies disagree about encoded slashes, dots and backslashes and about `..;`: a path with one may lead
 * out of the prefix it seems to lie under.
 */
const SLIPPERY = /%(?:2f|5c|2e|25|00)|\/\.\.[^/]/i;

export const isSlippery = (path: string): boolean => SLIPPERY.test(path);

const pathOnly = (target: UrlTarget): string => target.path.replace(/\?.*$/s, '');

const sameOrigin = (target: UrlTarget, prefix: UrlPrefix): boolean =>
  target.scheme === prefix.scheme && target.host === prefix.host && target.port === prefix.port;

function underUrl(target: UrlTarget, prefix: UrlPrefix): boolean {
  if (!sameOrigin(target, prefix)) return false;
  if (prefix.path === '') return true;
  const path = pathOnly(target);
  return !isSlippery(path) && (path === prefix.path || path.startsWith(`${prefix.path}/`));
}

/**
 * True when a scan of the target would touch what a deny entry names: for a URL entry that is also any URL above it,
 * and the host itself, because a scan of either walks into it. A path that cannot be judged counts as touching.
 */
export function deniesByName(matcher: Matcher, target: Target): boolean {
  const { url } = matcher;
  if (!url) return namesTarget(matcher, target);
  if (target.kind === 'url') return sameOrigin(target, url) && touches(pathOnly(target), url.path);
  const address = parseAddress(url.host);
  const range = rangeOfTarget(target);
  if (range) return address !== undefined && contains(range, single(address)) && samePort(target, url.port);
  return target.kind === 'host' && target.host === url.host && samePort(target, url.port);
}

const samePort = (target: Target, port: number): boolean =>
  target.kind === 'network' || target.port === undefined || target.port === port;

/** Compared as loosely as the laxest server would: decoded, without case, slashes merged. */
function touches(path: string, denied: string): boolean {
  if (denied === '' || isSlippery(path)) return true;
  const asked = loosePath(path);
  const refused = loosePath(denied);
  if (asked === undefined || refused === undefined) return true;
  return asked === refused || asked.startsWith(`${refused}/`) || `${refused}/`.startsWith(`${asked}/`);
}

function loosePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path).toLowerCase().replace(/\/+/g, '/').replace(/\/$/, '');
  } catch {
    return undefined;
  }
}

/** The ranges an allow entry opens for this target: a URL entry with an address opens it for its URLs only. */
export function rangesFor(rule: DenyRule, target: Target): readonly AddressRange[] {
  const { url, ranges } = rule.matcher;
  if (!url || target.kind !== 'url' || !target.isAddress || !underUrl(target, url)) return ranges;
  const own = rangeOfTarget(target);
  return own ? [own] : ranges;
}

export const covers = (ranges: readonly AddressRange[], subject: AddressRange): boolean =>
  ranges.some((outer) => contains(outer, subject));
