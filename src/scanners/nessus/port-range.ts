/** Ports a range of Nessus names, as `ReportScope` wants them. */
export interface PortRange {
  readonly tcp?: string;
  readonly udp?: string;
  /** Nessus's own list of some 4,800 ports is meant too; the report does not say which they are. */
  readonly tcpDefault: boolean;
  readonly udpDefault: boolean;
}

/** What `ReportScope` calls that list. */
export const DEFAULT_LIST = 'default';

const MOST_PARTS = 2_000;

/**
 * Reads `default`, `all`, `1-1024,8080`, `T:1-1024,U:53`. Anything else proves nothing.
 * A letter holds for what follows it until the next one, as in nmap.
 */
export function portRange(text: string): PortRange | undefined {
  const parts = text.trim().split(',');
  if (parts.length > MOST_PARTS) return undefined;
  const ports: Record<'tcp' | 'udp', string[]> = { tcp: [], udp: [] };
  let sides: readonly ('tcp' | 'udp')[] = ['tcp', 'udp'];
  const isDefault = { tcp: false, udp: false };
  for (const part of parts) {
    const [, letter, range = ''] = /^\s*(?:([TU]):)?\s*([\w-]+)\s*$/i.exec(part) ?? [];
    if (letter) sides = letter.toUpperCase() === 'T' ? ['tcp'] : ['udp'];
    if (/^default$/i.test(range)) for (const side of sides) isDefault[side] = true;
    else {
      const span = spanOf(range);
      if (span === undefined) return undefined;
      for (const side of sides) ports[side].push(span);
    }
  }
  return { ...said('tcp', ports.tcp), ...said('udp', ports.udp), tcpDefault: isDefault.tcp, udpDefault: isDefault.udp };
}

function spanOf(range: string): string | undefined {
  if (/^all$/i.test(range)) return 'all';
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
  if (from === undefined) return undefined;
  const [low, high] = [Number(from), Number(to)];
  if (low > high || high > 65_535) return undefined;
  if (low <= 1 && high === 65_535) return 'all';
  return low === high ? `${low}` : `${low}-${high}`;
}

function said(side: 'tcp' | 'udp', spans: readonly string[]): Partial<PortRange> {
  if (spans.length === 0) return {};
  return { [side]: spans.includes('all') ? 'all' : [...new Set(spans)].join(',') };
}
