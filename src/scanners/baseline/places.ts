import type { Intensity, ScanRequest } from '../../model/scan.ts';
import type { PinnedTarget } from '../../model/target.ts';
import { MAX_ADDRESSES_PER_NAME } from './limits.ts';
import { DEFAULT_PORTS, parsePorts } from './ports.ts';

/** One place to look at: what coverage calls it, and where exactly to connect. */
export interface PlannedPlace {
  /** Text of the place in coverage. */
  readonly place: string;
  /** Name to ask for in TLS and HTTP; the address where the target is one. */
  readonly name: string;
  readonly isAddress: boolean;
  /** Checked addresses; nothing else is ever connected to. */
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  /** Set for a URL target: this scheme on its one port, and paths below its folder only. */
  readonly web?: { readonly scheme: 'http' | 'https'; readonly path: string };
  /** True for one of many addresses of a network whose ports nobody named: silence on the first ones ends the look. */
  readonly mayEndEarly: boolean;
  /** Addresses of the name that are left out. */
  readonly leftOut: number;
}

const portsFor = (
  own: number | undefined,
  asked: readonly number[] | undefined,
  intensity: Intensity,
): readonly number[] => (own === undefined ? (asked ?? DEFAULT_PORTS[intensity]) : [own]);

/**
 * Spreads the targets of a request into places.
 * @throws AppError invalid_request for ports that cannot be read
 */
export function planPlaces(targets: readonly PinnedTarget[], request: ScanRequest): PlannedPlace[] {
  const asked = request.ports === undefined ? undefined : parsePorts(request.ports);
  return targets.flatMap((pinned) => placesOf(pinned, asked, request.intensity));
}

function placesOf(
  { target, addresses }: PinnedTarget,
  asked: readonly number[] | undefined,
  intensity: Intensity,
): PlannedPlace[] {
  const first = addresses.slice(0, MAX_ADDRESSES_PER_NAME);
  const one = { addresses: first, mayEndEarly: false, leftOut: addresses.length - first.length };
  switch (target.kind) {
    case 'address':
      return [
        {
          ...one,
          place: target.text,
          name: target.address,
          isAddress: true,
          ports: portsFor(target.port, asked, intensity),
        },
      ];
    case 'host':
      return [
        {
          ...one,
          place: target.text,
          name: target.host,
          isAddress: false,
          ports: portsFor(target.port, asked, intensity),
        },
      ];
    case 'network':
      return addresses.map((address) => ({
        place: address,
        name: address,
        isAddress: true,
        addresses: [address],
        ports: portsFor(undefined, asked, intensity),
        mayEndEarly: asked === undefined,
        leftOut: 0,
      }));
    case 'url':
      return [
        {
          ...one,
          place: target.text,
          name: target.host,
          isAddress: target.isAddress,
          ports: [target.port],
          web: { scheme: target.scheme, path: target.path },
        },
      ];
  }
}
