import { settleAll } from './gate.ts';
import type { Lane } from './lane.ts';
import type { PlannedPlace } from './places.ts';
import { probePort, type Endpoint, type Waits } from './wire.ts';

/** Silence on this many ports of one address of a network ends the look at it. */
const SILENT_PORTS_IN_NETWORK = 12;

export interface Reached {
  readonly open: readonly Endpoint[];
  /** Whether anything answered: a port open or closed. */
  readonly isEvidence: boolean;
  /** Addresses that gave no answer while another one of the place did. */
  readonly silent: readonly string[];
  /** Why nothing answered, or why not every port was looked at, in our words. */
  readonly why?: string;
}

export interface ReachContext {
  readonly lane: Lane;
  readonly waits: Waits;
  /** Called for each port that was really asked. */
  readonly tried: (port: number) => void;
  /** Called after each port, with the share of ports that are done. */
  readonly advanced: (share: number) => void;
}

interface Tally {
  readonly open: Endpoint[];
  readonly answering: Set<string>;
  lastCode?: string | undefined;
  tried: number;
}

/** Finds out which ports of a place answer, on its checked addresses only. */
export async function reach(place: PlannedPlace, context: ReachContext): Promise<Reached> {
  const tally: Tally = { open: [], answering: new Set(), tried: 0 };
  const planned = place.addresses.length * place.ports.length;
  for (const address of place.addresses) {
    const first = place.mayEndEarly ? place.ports.slice(0, SILENT_PORTS_IN_NETWORK) : place.ports;
    await probeAll(address, first, planned, { tally, ...context });
    if (hasEvidence(tally)) await probeAll(address, place.ports.slice(first.length), planned, { tally, ...context });
    // A URL is one service: the first address that serves it stands for all.
    if (place.web && tally.open.length > 0) break;
  }
  return summary(place, tally);
}

const hasEvidence = ({ answering }: Tally): boolean => answering.size > 0;

async function probeAll(
  address: string,
  ports: readonly number[],
  planned: number,
  { tally, lane, waits, tried, advanced }: ReachContext & { readonly tally: Tally },
): Promise<void> {
  const probe = async (port: number): Promise<void> => {
    const endpoint = { address, port };
    const result = await lane.connect(() => probePort(endpoint, waits, lane.signal));
    if (!result) return;
    tally.tried += 1;
    tried(port);
    if (result.state === 'open' || result.state === 'closed') tally.answering.add(address);
    if (result.state === 'open') tally.open.push(endpoint);
    if (result.state === 'unreachable') tally.lastCode = result.code;
    advanced(tally.tried / planned);
  };
  await settleAll(ports.map(probe));
}

function summary({ addresses, ports, web, mayEndEarly }: PlannedPlace, tally: Tally): Reached {
  const open = tally.open.toSorted((a, b) => a.port - b.port || a.address.localeCompare(b.address));
  if (hasEvidence(tally)) {
    const silent = web ? [] : addresses.filter((address) => !tally.answering.has(address));
    return { open, isEvidence: true, silent };
  }
  const count = tally.tried === 1 ? 'the port' : `any of ${tally.tried} ports`;
  const isCut = mayEndEarly && tally.tried < ports.length;
  const asked = isCut ? `the first ${tally.tried} of ${ports.length} ports; the others were not asked` : count;
  const why = tally.lastCode === undefined ? `no answer on ${asked}` : `not reachable (${tally.lastCode}) on ${asked}`;
  return { open, isEvidence: false, silent: [], why };
}
