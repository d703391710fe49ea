import type { Target } from '../model/target.ts';
import { overlap } from '../policy/address.ts';
import { rangeOfTarget } from '../policy/target.ts';

/** Whether two targets may mean the same place: address ranges that meet, or one host name; ports only when both name one. */
export function overlaps(a: Target, b: Target): boolean {
  const [portA, portB] = [portOf(a), portOf(b)];
  if (portA !== undefined && portB !== undefined && portA !== portB) return false;
  const [rangeA, rangeB] = [rangeOfTarget(a), rangeOfTarget(b)];
  if (rangeA && rangeB) return overlap(rangeA, rangeB) !== undefined;
  const [hostA, hostB] = [hostOf(a), hostOf(b)];
  return hostA !== undefined && hostA === hostB;
}

const portOf = (target: Target): number | undefined => ('port' in target ? target.port : undefined);
const hostOf = (target: Target): string | undefined => ('host' in target ? target.host : undefined);
