import { AppError } from './errors.ts';

/**
 * A target as scanmux understands it: parsed once, at the edge, by `parseTarget` in `policy/target.ts`. Addresses are
 * always canonical (RFC 5952 for IPv6, plain dotted quad for IPv4, IPv4-mapped IPv6 unwrapped).
 */
export type Target =
  | { readonly kind: 'address'; readonly text: string; readonly address: string; readonly port?: number }
  | {
      readonly kind: 'network';
      /** Canonical CIDR (host bits masked) or `first-last`. */
      readonly text: string;
      readonly first: string;
      readonly last: string;
      /** Number of addresses; capped at `Number.MAX_SAFE_INTEGER`. */
      readonly size: number;
    }
  | { readonly kind: 'host'; readonly text: string; readonly host: string; readonly port?: number }
  | {
      readonly kind: 'url';
      /** Canonical URL without fragment and user info. */
      readonly text: string;
      readonly scheme: 'http' | 'https';
      /** Host name or canonical address, without brackets. */
      readonly host: string;
      readonly isAddress: boolean;
      readonly port: number;
      readonly path: string;
    };

/** The kinds of target an engine may take, as they are named to the public. */
export const TARGET_KINDS = ['host', 'network', 'url', 'repository', 'image'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

export const publicKind = (target: Target): TargetKind => (target.kind === 'address' ? 'host' : target.kind);

/**
 * A target with the addresses that were checked against the policy. Engines only ever get these: whatever a name
 * resolves to later is not scanned.
 */
export interface PinnedTarget {
  readonly target: Target;
  /** Canonical addresses, never empty. All of a network's, in order. */
  readonly addresses: readonly string[];
}

/**
 * A range that is none, an address or name with a port, a URL: few images and files are called so. What has a slash
 * before the number at its end is an image with its tag.
 */
const LIKE_AN_ADDRESS = /^\s*$|:\/\/|^[\d.]+[/:]|^\[|^[^/]*:\d+$|\/\d{1,3}$/;

/** Whether what is no host was meant as one, rather than as the name of an image or a file. */
export const isLikeAddress = (text: string): boolean => LIKE_AN_ADDRESS.test(text);

/** The answer to a filter `host` that no scan in question can mean. */
export const hostRefused = (): AppError =>
  new AppError(
    'invalid_request',
    'host must be an IP address, a CIDR such as 10.0.0.0/24, a host name, or a key of group_by host; the port has a filter of its own.',
  );
