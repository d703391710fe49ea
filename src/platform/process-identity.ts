import { readFileSync } from 'node:fs';
import { outputOf, signalProcess } from './subprocess.ts';

/**
 * Names one process for ever: a process id alone is reused. Two readings of the same process are equal; wall-clock
 * jumps do not change them.
 */
export interface ProcessIdentity {
  /** Changes with every boot of the machine. */
  readonly boot: string;
  readonly pid: number;
  /** Start time in the system's own words (Linux: clock ticks since boot). */
  readonly started: string;
}

let bootId: string | undefined;

function boot(): string {
  bootId ??= readBootId();
  return bootId;
}

function readBootId(): string {
  if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  if (process.platform === 'darwin')
    return outputOf('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], 2_000)?.trim() ?? 'unknown';
  return (
    outputOf(
      'powershell.exe',
      ['-NoProfile', '-Command', '(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks'],
      10_000,
    )?.trim() ?? 'unknown'
  );
}

/** When a process started, or undefined when there is none with this id (a zombie counts as ended). */
function startTime(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // Field 2 is the command in parentheses and may hold anything; fields 3 (state) and 22 (start) follow the last ')'.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined; // ENOENT, ESRCH: no such process.
    }
  }
  if (!signalProcess(pid, 0)) return undefined;
  if (process.platform === 'darwin') return darwinStartTime(pid);
  return outputOf(
    'powershell.exe',
    ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`],
    10_000,
  )?.trim();
}

/** ps writes the time in the reader's zone and language; both are fixed, or two readers would see two processes. */
function darwinStartTime(pid: number): string | undefined {
  const argv = ['TZ=UTC0', 'LC_ALL=C', '/bin/ps', '-o', 'stat=', '-o', 'lstart=', '-p', String(pid)];
  const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(outputOf('/usr/bin/env', argv, 2_000) ?? '') ?? [];
  return state?.startsWith('Z') ? undefined : started;
}

/** The identity of a running process; undefined when there is none with this id. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = startTime(pid);
  return started === undefined ? undefined : { boot: boot(), pid, started };
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= identityOf(process.pid);
  if (!own) throw new Error('cannot read the start time of this process');
  return own;
}

export const identityText = ({ boot: id, pid, started }: ProcessIdentity): string => `${id}|${pid}|${started}`;

/** Whether the process with this identity text still runs. Malformed text names no process. */
export function isAlive(text: string): boolean {
  const [id, pid, started] = text.split('|');
  if (id !== boot() || !pid || !/^\d+$/.test(pid)) return false;
  return startTime(Number(pid)) === started;
}
