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
 * the same one, and every process that carries the scan's marker, each with its group.
 * @returns how many groups were ended
 */
export async function endOrphans({ scanId, reference }: { scanId: string; reference?: string }): Promise<number> {
  const groups = new Set(groupsMarked(`${MARKER_VARIABLE}=${scanId}.`));
  const identity = reference === undefined ? undefined : identityFrom(reference);
  if (identity && isRunning(identity)) groups.add(identity.pid);
  for (const group of groups) await endGroup(group, 'SIGKILL', 2_000);
  return groups.size;
}

/** Groups of marked processes; this process' own is never one of them. */
function groupsMarked(marker: string): readonly number[] {
  if (process.platform === 'linux') return linuxGroups(marker);
  return process.platform === 'darwin' ? darwinGroups(marker) : [];
}

function linuxGroups(marker: string): readonly number[] {
  const own = linuxGroup(process.pid);
  return readdirSync('/proc')
    .filter(
      (entry) =>
        /^\d+$/.test(entry) && Number(entry) !== process.pid && linuxEnvironment(entry).includes(`\0${marker}`),
    )
    .flatMap((entry) => linuxGroup(Number(entry)) ?? [])
    .filter((group) => group > 1 && group !== own);
}

/** Entries are separated by NUL, so a marker is only found at the start of one. */
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

function darwinGroups(marker: string): readonly number[] {
  const lines = outputOf('/bin/ps', ['-E', '-ww', '-x', '-o', 'pid=,pgid=,command='], 5_000)?.split('\n') ?? [];
  const rows = lines.map((line) => ({ line, match: /^\s*(\d+)\s+(\d+)\s/.exec(line) }));
  const own = Number(rows.find(({ match }) => Number(match?.[1]) === process.pid)?.match?.[2]);
  return rows
    .filter(({ line }) => line.includes(` ${marker}`))
    .map(({ match }) => Number(match?.[2]))
    .filter((group) => group > 1 && group !== own);
}
