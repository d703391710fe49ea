import { isIP } from 'node:net';
import { AppError } from '../../model/errors.ts';
import type { Intensity, ScanRequest } from '../../model/scan.ts';
import { publicKind, type PinnedTarget } from '../../model/target.ts';
import type { Installed } from './binary.ts';
import { INTRUSIVE_SCRIPTS, nearestScripts, scriptKind, STANDARD_SCRIPTS } from './scripts.ts';

/** One start of nmap. */
export interface NmapRun {
  readonly argv: readonly string[];
  readonly addresses: number;
}

/** Keeps the command line far below what systems allow. */
const ADDRESSES_PER_RUN = 256;
const MAX_PORT_LIST_CHARS = 2_000;
/** More ports than this need the longer host limit. */
const MANY_PORTS = 10_000;

/** Seconds; the scan's own time limit can only make them shorter. */
const LIMITS = {
  light: { host: 600, script: 60 },
  standard: { host: 1_800, script: 120 },
  intrusive: { host: 3_600, script: 300 },
} as const satisfies Record<Intensity, { host: number; script: number }>;

/** No name lookups, no discovery, connect scans only: the same with and without root, and no raw packets. */
const FIXED = '-n -Pn -sT --unprivileged --noninteractive --max-retries 2 --stats-every 1s'.split(' ');

type Asked = Pick<ScanRequest, 'intensity' | 'ports' | 'templates' | 'max_duration_minutes'>;

/**
 * The command lines of one scan: fixed by the intensity, one run per port list and address family. Nothing a caller
 * wrote gets in but port numbers and names of scripts compiled into scanmux; addresses are canonical and stand after
 * `--`.
 * @param installed What came with the nmap that will run; undefined when it was not found. nmap looks for scripts and
 *   data files in the folder of the account (`~/.nmap`) before its own, whatever HOME says; `--datadir` comes first.
 * @throws AppError invalid_request, option_unsupported, target_unsupported, target_invalid
 */
export function argvFor(request: Asked, targets: readonly PinnedTarget[], installed?: Installed): readonly NmapRun[] {
  const scripts = scriptsFor(request, installed?.scripts);
  const groups = groupsOf(targets, request.ports === undefined ? undefined : portList(request.ports));
  return groups.map(({ family, ports, addresses }) => ({
    addresses: addresses.length,
    argv: [
      ...FIXED,
      ...(installed === undefined ? [] : ['--datadir', installed.dataFolder]),
      ...limits(request, ports, groups.length),
      ...(family === 6 ? ['-6'] : []),
      ...(ports === undefined ? ['--top-ports', request.intensity === 'light' ? '100' : '1000'] : ['-p', ports]),
      ...(request.intensity === 'light' ? [] : ['-sV']),
      ...(scripts.length > 0 ? ['--script', scripts.join(',')] : []),
      '-oX',
      '-',
      '--',
      ...addresses,
    ],
  }));
}

/**
 * Canonical form of a list like `22,80,8000-8010`.
 * @throws AppError invalid_request
 */
export function portList(text: string): string {
  const parts = text.length > MAX_PORT_LIST_CHARS ? [] : text.split(',').map((part) => part.trim());
  const ranges = parts.map((part) => /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part));
  const pairs = ranges.map((match) => ({ first: Number(match?.[1]), last: Number(match?.[2] ?? match?.[1]) }));
  if (pairs.length === 0 || pairs.some(({ first, last }) => !(first >= 1 && first <= last && last <= 65_535))) {
    throw new AppError('invalid_request', 'ports is not a list of ports from 1 to 65535.', {
      hint: 'Write ports like 22,80,8000-8010.',
    });
  }
  return pairs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

function scriptsFor({ templates, intensity }: Asked, installed: ReadonlySet<string> | undefined): readonly string[] {
  const isInstalled = (name: string): boolean => installed === undefined || installed.has(name);
  if (templates !== undefined) {
    for (const name of templates) checkScript(name, intensity, isInstalled(name));
    return [...new Set(templates)];
  }
  if (intensity === 'light') return [];
  const usual = intensity === 'intrusive' ? [...STANDARD_SCRIPTS, ...INTRUSIVE_SCRIPTS] : STANDARD_SCRIPTS;
  return usual.filter(isInstalled);
}

function checkScript(name: string, intensity: Intensity, isInstalled: boolean): void {
  const kind = /^[a-z0-9-]{1,64}$/.test(name) ? scriptKind(name) : undefined;
  if (kind === 'safe' && isInstalled) return;
  if (kind === 'intrusive' && isInstalled && intensity === 'intrusive') return;
  if (kind === 'intrusive' && isInstalled) {
    throw new AppError('option_unsupported', `The nmap script ${name} is intrusive.`, {
      hint: 'Ask for intensity intrusive, or leave the template out.',
    });
  }
  const near = nearestScripts(name, intensity === 'intrusive');
  const hint = near.length > 0 ? `Nearest names: ${near.join(', ')}.` : 'Leave templates out for the usual scripts.';
  const why = kind === undefined ? 'is none that scanmux runs' : 'is not installed';
  throw new AppError('option_unsupported', `The nmap script ${JSON.stringify(name.slice(0, 64))} ${why}.`, { hint });
}

interface Group {
  readonly family: number;
  readonly ports: string | undefined;
  readonly addresses: readonly string[];
}

function groupsOf(targets: readonly PinnedTarget[], asked: string | undefined): readonly Group[] {
  const sets = new Map<string, { family: number; ports: string | undefined; addresses: Set<string> }>();
  for (const { target, addresses } of targets) {
    if (target.kind === 'url') {
      throw new AppError('target_unsupported', `nmap does not take a ${publicKind(target)}.`, {
        targets: [target.text],
        hint: 'Give the host, or host:port.',
      });
    }
    const ports = target.kind !== 'network' && target.port !== undefined ? String(target.port) : asked;
    for (const address of addresses) {
      const family = familyOf(address);
      const key = `${family} ${ports ?? ''}`;
      const group = sets.get(key) ?? { family, ports, addresses: new Set() };
      group.addresses.add(address);
      sets.set(key, group);
    }
  }
  return [...sets.values()].flatMap(({ family, ports, addresses }) =>
    chunks([...addresses], ADDRESSES_PER_RUN).map((chunk) => ({ family, ports, addresses: chunk })),
  );
}

/** nmap reads `0177.0.0.1` and `127.0.0.1-5` in its own way: only what is one address to everybody gets through. */
function familyOf(address: string): number {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) throw new AppError('target_invalid', 'nmap only gets plain IP addresses.', { targets: [address] });
  return family;
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function limits({ intensity, max_duration_minutes }: Asked, ports: string | undefined, runs: number): string[] {
  const { host, script } = LIMITS[intensity];
  const patience = ports !== undefined && countPorts(ports) > MANY_PORTS ? host * 4 : host;
  const share = Math.floor((max_duration_minutes * 60 * 0.8) / runs);
  const hostSeconds = Math.max(10, Math.min(patience, share));
  const scriptSeconds = Math.max(5, Math.min(script, Math.floor(hostSeconds / 2)));
  return ['--host-timeout', `${hostSeconds}s`, '--script-timeout', `${scriptSeconds}s`];
}

function countPorts(ports: string): number {
  return ports.split(',').reduce((sum, part) => {
    const [first, last] = part.split('-').map(Number);
    return sum + ((last ?? first ?? 0) - (first ?? 0) + 1);
  }, 0);
}
