import type { Target } from '../model/target.ts';
import { overlap, range, type AddressRange } from '../policy/address.ts';
import { rangeOfTarget } from '../policy/target.ts';

/**
 * Whether two targets may mean the same place: address ranges that meet, or one host name; ports only when both name
 * one. Other names than `localhost` are not looked up: what they mean changes.
 */
export function overlaps(a: Target, b: Target): boolean {
  const [portA, portB] = [portOf(a), portOf(b)];
  if (portA !== undefined && portB !== undefined && portA !== portB) return false;
  const others = rangesOf(b);
  if (rangesOf(a).some((mine) => others.some((other) => overlap(mine, other) !== undefined))) return true;
  const [hostA, hostB] = [hostOf(a), hostOf(b)];
  return hostA !== undefined && hostA === hostB;
}

const LOCALHOST = [range('127.0.0.1'), range('::1')];

function rangesOf(target: Target): readonly AddressRange[] {
  if (hostOf(target) === 'localhost') return LOCALHOST;
  const found = rangeOfTarget(target);
  return found ? [found] : [];
}

const portOf = (target: Target): number | undefined => ('port' in target ? target.port : undefined);
const hostOf = (target: Target): string | undefined => ('host' in target ? target.host : undefined);
