import { madeOnce } from './kept.ts';
import { hostOfRow, readProtocols } from './finding-details.ts';
import type { HostOfFinding } from './look-proof.ts';
import { portAnswered, portTried, type Scope } from './look-scope.ts';
import { absentTest } from './marked-absent.ts';
import type { OpenFindings } from './open-findings.ts';

/** Whether a scan has a finding of any kind at a port of one host: then the port was open when it looked. */
export type PortItems = (port: number, protocol: string | undefined) => boolean;

/** What a scan shows of the ports of one host. */
export interface PortLook {
  /** Its scopes that hold at the host. */
  readonly scopes: readonly Scope[];
  readonly holds: PortItems;
  /** Scopes that hold at the host in the scan whose finding is in question. */
  readonly others: readonly Scope[];
}

/**
 * Whether a port at which another scan has a finding is proven to have been tried: it is in a list of ports, in a list
 * that both scans only name, or there are findings at it.
 * @param protocol Called only where the answer depends on it.
 */
export const isPortProven = (
  { scopes, holds, others }: PortLook,
  port: number,
  protocol: () => string | undefined,
): boolean => portTried(scopes, port, protocol, others) || holds(port, protocol());

/** Whether the port is proven to have been closed: nothing that another scan found at it is there. */
export const isPortClosed = (
  { scopes, holds }: Pick<PortLook, 'scopes' | 'holds'>,
  port: number,
  protocol: () => string | undefined,
): boolean =>
  scopes.some(({ portsAnswered }) => portsAnswered) &&
  portAnswered(scopes, port, protocol() ?? 'tcp') &&
  !holds(port, protocol());

/** Where findings with a port stand, by host. */
interface Items {
  /** Port and place in the columns as one number, ascending within a host. */
  readonly keys: Float64Array;
  /** Where those of each host row begin; one more than there are rows. */
  readonly starts: Uint32Array;
  readonly rowsOf: (host: HostOfFinding) => readonly number[];
}

/** More than a file can hold findings. */
const MAX_FINDINGS = 2 ** 32;

/** Ports at which a file has findings, of the hosts of another file. */
export function portItems(file: OpenFindings): (host: HostOfFinding) => PortItems {
  return (host) => {
    let rows: readonly number[] | undefined;
    const known = new Map<string, boolean>();
    return (port, protocol = 'tcp') => {
      const items = itemsOf(file);
      rows ??= items.rowsOf(host);
      const key = `${port}/${protocol}`;
      const holds = known.get(key) ?? rows.some((row) => holdsAt(file, items, row, port, protocol));
      known.set(key, holds);
      return holds;
    };
  };
}

const itemsOf = madeOnce((file: OpenFindings): Items => {
  const rows = file.db.prepare('SELECT label, name, address_key FROM host ORDER BY id').all();
  const isGone = absentTest(file);
  const wanted = Uint32Array.from(file.port.keys()).filter((index) => (file.port[index] ?? 0) > 0 && !isGone(index));
  return { ...sortedByHost(file, wanted, rows.length), rowsOf: rowFinder(rows) };
});

/** Counts, then places: one pass over the findings for each. */
function sortedByHost(
  { host, port }: OpenFindings,
  indices: Uint32Array,
  rows: number,
): Pick<Items, 'keys' | 'starts'> {
  const starts = new Uint32Array(rows + 1);
  for (const index of indices) bump(starts, (host[index] ?? 0) + 1);
  for (let row = 0; row < rows; row += 1) starts[row + 1] = (starts[row + 1] ?? 0) + (starts[row] ?? 0);
  const keys = new Float64Array(indices.length);
  const next = starts.slice();
  for (const index of indices) {
    const row = host[index] ?? 0;
    keys[next[row] ?? 0] = (port[index] ?? 0) * MAX_FINDINGS + index;
    bump(next, row);
  }
  for (let row = 0; row < rows; row += 1) keys.subarray(starts[row], starts[row + 1]).sort();
  return { keys, starts };
}

const bump = (numbers: Uint32Array, at: number): void => {
  numbers[at] = (numbers[at] ?? 0) + 1;
};

/** A port belongs to an address: another name of it shows the same ports. */
function rowFinder(rows: readonly object[]): (host: HostOfFinding) => readonly number[] {
  const [byLabel, byAddress] = [new Map<string, number[]>(), new Map<string, number[]>()];
  const add = (to: Map<string, number[]>, key: string, id: number): void => {
    const known = to.get(key);
    if (known) known.push(id);
    else to.set(key, [id]);
  };
  for (const [id, row] of rows.entries()) {
    const { label, addressKey } = hostOfRow(row);
    add(byLabel, label, id);
    if (addressKey !== undefined) add(byAddress, addressKey, id);
  }
  return ({ label, addressKey }) => [
    ...new Set([...(byLabel.get(label) ?? []), ...(addressKey === undefined ? [] : (byAddress.get(addressKey) ?? []))]),
  ];
}

function holdsAt(file: OpenFindings, { keys, starts }: Items, row: number, port: number, protocol: string): boolean {
  const end = starts[row + 1] ?? 0;
  const from = firstFrom(keys, port * MAX_FINDINGS, starts[row] ?? 0, end);
  const to = firstFrom(keys, (port + 1) * MAX_FINDINGS, from, end);
  if (from === to) return false;
  const indices = Uint32Array.from(keys.subarray(from, to), (key) => key % MAX_FINDINGS);
  // They nearly always agree: the first one says it.
  if (protocolOf(file)(indices[0] ?? 0) === protocol) return true;
  const others = readProtocols(file, indices);
  return indices.some((index) => (others.get(file.body[index] ?? 0) ?? 'tcp') === protocol);
}

const protocolOf = madeOnce(({ db, body }: OpenFindings) => {
  const statement = db.prepare("SELECT json_extract(json, '$.location.protocol') AS protocol FROM body WHERE id = ?");
  return (index: number): string => String(statement.get(body[index] ?? 0)?.['protocol'] ?? 'tcp');
});

/** The first place from `low` on whose key is not smaller. */
function firstFrom(keys: Float64Array, key: number, low: number, high: number): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((keys[middle] ?? Infinity) < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
