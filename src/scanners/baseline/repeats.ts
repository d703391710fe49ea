import type { Location } from '../../model/finding.ts';
import type { Observation } from './observation.ts';
import type { PlannedPlace } from './places.ts';

/**
 * Finds what was reported already: targets may overlap (a name and its address, a host and a URL of it), and what is true
 * of a port is then seen once for each of them. Web pages keep apart by their URL, which has the name in it.
 */
export interface Repeats {
  isRepeat(location: Location, observation: Observation): boolean;
}

/** Remembers nothing of addresses that only one place has: of a large network that would be every finding. */
export function createRepeats(places: readonly PlannedPlace[]): Repeats {
  const once = new Set<string>();
  const shared = new Set<string>();
  for (const address of places.flatMap(({ addresses }) => addresses)) (once.has(address) ? shared : once).add(address);
  const reported = new Set<string>();
  return {
    isRepeat({ ip, port, protocol, url }, { rule, method, parameter, discriminator }) {
      if (ip === undefined || !shared.has(ip)) return false;
      const key = JSON.stringify([rule, ip, port, protocol, url, method, parameter, discriminator]);
      if (reported.has(key)) return true;
      reported.add(key);
      return false;
    },
  };
}
