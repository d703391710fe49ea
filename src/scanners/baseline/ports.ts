import { AppError } from '../../model/errors.ts';
import type { Intensity } from '../../model/scan.ts';

/** Most ports one scan of this engine may ask for. */
export const MAX_PORTS = 1_024;

/** The 20 a first look needs; by how often they are open on servers. */
const LIGHT = [
  80, 443, 22, 8080, 8443, 21, 25, 3306, 5432, 6379, 3389, 445, 3000, 5000, 8000, 9200, 27_017, 2375, 11_211, 23,
];

const STANDARD = [
  53, 81, 88, 110, 111, 135, 139, 143, 389, 465, 587, 636, 873, 993, 995, 1433, 1521, 1883, 2049, 2181, 2376, 2379,
  3128, 4443, 5001, 5601, 5672, 5900, 5984, 6443, 7001, 8008, 8081, 8088, 8888, 9000, 9090, 9092, 10_250, 15_672,
];

const INTRUSIVE = [
  79, 82, 113, 119, 179, 512, 513, 514, 554, 631, 902, 1080, 1099, 1723, 2222, 2380, 3001, 3690, 4000, 4369, 4444, 4848,
  5005, 5060, 5555, 5671, 5800, 5985, 5986, 6000, 6380, 7000, 7077, 7443, 8009, 8082, 8086, 8089, 8161, 8200, 8500,
  8983, 9042, 9091, 9093, 9100, 9300, 9418, 9443, 10_000, 10_255, 11_434, 16_379, 50_000, 50_070, 61_616,
];

/** Ports that are looked at when the request names none, the most telling first. */
export const DEFAULT_PORTS: Readonly<Record<Intensity, readonly number[]>> = {
  light: LIGHT,
  standard: [...LIGHT, ...STANDARD],
  intrusive: [...LIGHT, ...STANDARD, ...INTRUSIVE],
};

/** Printers print whatever arrives on these, so nothing is ever sent there. */
export const isPrinterPort = (port: number): boolean => port === 515 || (port >= 9_100 && port <= 9_107);

const PART = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/**
 * Reads `80,443,8000-8100`: sorted, without repeats.
 * @throws AppError invalid_request for anything else, or for more than 1,024 ports
 */
export function parsePorts(text: string): number[] {
  const ports = new Set<number>();
  for (const part of text.split(',')) {
    const [, from, to] = PART.exec(part.trim()) ?? [];
    const first = Number(from);
    const last = Number(to ?? from);
    if (!(first >= 1 && last <= 65_535 && first <= last))
      throw badPorts(`"${part.trim().slice(0, 40)}" is no port or range`);
    if (last - first >= MAX_PORTS) throw badPorts(`at most ${MAX_PORTS} ports, ${part.trim()} has more`);
    for (let port = first; port <= last; port += 1) ports.add(port);
    if (ports.size > MAX_PORTS) throw badPorts(`at most ${MAX_PORTS} ports`);
  }
  return [...ports].toSorted((a, b) => a - b);
}

const badPorts = (what: string): AppError =>
  new AppError('invalid_request', `ports: ${what}.`, {
    hint: 'Write ports as 80,443,8000-8100, at most 1,024 for the baseline engine; use a pool with nmap for more.',
  });
