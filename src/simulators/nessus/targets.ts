const MOST_HOSTS = 65_536;

const octets = (text: string): number | undefined => {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
};
const dotted = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
const span = (first: number, last: number): string[] =>
  Array.from({ length: Math.min(last - first + 1, MOST_HOSTS) }, (_, index) => dotted(first + index));

/** `10.0.0.0/30` and `10.0.0.1-10.0.0.9` as their addresses; anything else is one host. */
function hostsOf(target: string): string[] {
  const [, network = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(target) ?? [];
  const base = octets(network);
  if (base !== undefined && Number(length) <= 32) {
    const size = 2 ** (32 - Number(length));
    const first = base - (base % size);
    return size <= 2 ? span(first, first + size - 1) : span(first + 1, first + size - 2);
  }
  const [from, to] = target.split('-').map(octets);
  return from !== undefined && to !== undefined && from <= to ? span(from, to) : [target];
}

/** The hosts of Nessus's `text_targets`: separated by commas, spaces or newlines, each one once. */
export function targetsOf(text: string): string[] {
  const hosts = new Set<string>();
  for (const target of text.split(/[\s,]+/).filter(Boolean)) {
    for (const host of hostsOf(target)) if (hosts.size < MOST_HOSTS) hosts.add(host);
  }
  return [...hosts];
}

/** The host when it is an address, not a name. */
export const addressOf = (host: string): string | undefined =>
  octets(host) !== undefined || /^[0-9a-f:]+:[0-9a-f:]*$/i.test(host) ? host : undefined;
