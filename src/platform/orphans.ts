import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';
import { endGroup, outputOf } from './subprocess.ts';

/** Set in the environment of every engine that is a child process: whoever comes after a crash finds it by this. */
const MARKER_VARIABLE = 'SCANMUX_MARKER';

/** The variable that marks the child processes of one attempt. A scan id holds no dot, so scans cannot be confused. */
export const markerOf = (scanId: string, epoch: number): Readonly<Record<string, string>> => ({
  [MARKER_VARIABLE]: `${scanId}.${epoch}`,
});

const Reference = z.strictObject({
  boot: z.string(),
  namespace: z.string(),
  pid: z.int().min(1),
  started: z.string(),
});

/** What a checkpoint keeps of a child process: undefined when it has already ended. */
export function processReference(pid: number): string | undefined {
  const identity = identityOf(pid);
  return identity && JSON.stringify(identity);
}

function identityFrom(reference: string): ProcessIdentity | undefined {
  try {
    return Reference.parse(JSON.parse(reference));
  } catch {
    return undefined; // Not one of ours: the marker still finds the process.
  }
}

/**
 * Ends what is left of earlier attempts of a scan whose worker died: the process a checkpoint names, if it is still
 * the same one, and every process that carries the scan's marker, each with its group. The marker alone suffices.
 * @returns how many groups were ended
 */
export async function endOrphans({ scanId, reference }: { scanId: string; reference?: string }): Promise<number> {
  const groups = groupsOf((marked) => marked.scanId === scanId);
  const identity = reference === undefined ? undefined : identityFrom(reference);
  if (identity && isRunning(identity)) groups.add(identity.pid);
  return await endAll(groups);
}

/**
 * Ends every marked process whose attempt `isOurs` claims, each with its group: what dead workers left, whose
 * checkpoints may be gone by now. `isOurs` is asked once for each attempt and must say no to those of living workers.
 * Finds nothing on Windows, where no process can read the environment of another.
 * @returns how many groups were ended
 */
export async function endMarked(
  isOurs: (scanId: string, epoch: number) => boolean | Promise<boolean>,
): Promise<number> {
  const seen = markedProcesses();
  const ours = new Set<string>();
  for (const [attempt, { scanId, epoch }] of new Map(seen.map((marked) => [attemptOf(marked), marked]))) {
    if (await isOurs(scanId, Number(epoch))) ours.add(attempt);
  }
  // While the question was answered, a process may have ended and its id been given away, or a new attempt begun.
  const before = new Set(seen.map(keyOf));
  return await endAll(groupsOf((marked) => ours.has(attemptOf(marked)) && before.has(keyOf(marked))));
}

async function endAll(groups: ReadonlySet<number>): Promise<number> {
  for (const group of groups) await endGroup(group, 'SIGKILL', 2_000);
  return groups.size;
}

interface MarkedProcess {
  readonly scanId: string;
  readonly epoch: string;
  readonly group: number;
}

const attemptOf = ({ scanId, epoch }: MarkedProcess): string => `${scanId}.${epoch}`;

const keyOf = ({ scanId, epoch, group }: MarkedProcess): string => `${scanId}.${epoch} ${group}`;

const groupsOf = (isWanted: (marked: MarkedProcess) => boolean): Set<number> =>
  new Set(
    markedProcesses()
      .filter(isWanted)
      .map(({ group }) => group),
  );

/** Every process that carries a marker; this process' own group is never among them. */
function markedProcesses(): readonly MarkedProcess[] {
  if (process.platform === 'linux') return markedOnLinux();
  return process.platform === 'darwin' ? markedOnDarwin() : [];
}

/** Scan ids are letters, digits and underscores. @param before What stands in front of every variable. */
const markerPattern = (before: string): RegExp => new RegExp(`${before}${MARKER_VARIABLE}=(\\w{1,100})\\.(\\d+)`);
/** Entries are separated by NUL, so a marker is only found at the start of one. */
const LINUX_MARKER = markerPattern('\0');
const DARWIN_MARKER = markerPattern(' ');

function markedOnLinux(): readonly MarkedProcess[] {
  const own = linuxGroup(process.pid);
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    const [, scanId, epoch] = LINUX_MARKER.exec(linuxEnvironment(entry)) ?? [];
    if (scanId === undefined || epoch === undefined) return [];
    const group = linuxGroup(Number(entry)) ?? 0;
    return group > 1 && group !== own ? [{ scanId, epoch, group }] : [];
  });
}

function linuxEnvironment(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
  } catch {
    return ''; // It has ended, or it is somebody else's.
  }
}

function linuxGroup(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything; state, parent and group follow the last ')'.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined;
  }
}

function markedOnDarwin(): readonly MarkedProcess[] {
  const lines = outputOf('/bin/ps', ['-E', '-ww', '-x', '-o', 'pid=,pgid=,command='], 5_000)?.split('\n') ?? [];
  const rows = lines.map((line) => ({ line, match: /^\s*(\d+)\s+(\d+)\s/.exec(line) }));
  const own = Number(rows.find(({ match }) => Number(match?.[1]) === process.pid)?.match?.[2]);
  return rows.flatMap(({ line, match }) => {
    const [, scanId, epoch] = DARWIN_MARKER.exec(line) ?? [];
    if (scanId === undefined || epoch === undefined) return [];
    const group = Number(match?.[2]);
    return group > 1 && group !== own ? [{ scanId, epoch, group }] : [];
  });
}
