import { readFileSync, readlinkSync } from 'node:fs';
import { outputOf, signalProcess } from './subprocess.ts';

/**
 * Names one process for ever: a process id alone is reused. Two readings of the same process are equal; wall-clock
 * jumps do not change them.
 */
export interface ProcessIdentity {
  /** Changes with every boot of the machine. */
  readonly boot: string;
  /**
   * Number of the Linux namespace in which the process id counts: two containers share the boot, not the ids. Empty
   * where there are none.
   */
  readonly namespace: string;
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

let ownNamespace: string | undefined;

/** Source: pid_namespaces(7). The link reads `pid:[4026531836]`. */
function namespace(): string {
  ownNamespace ??= process.platform === 'linux' ? readNamespace() : '';
  return ownNamespace;
}

function readNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
  } catch {
    return ''; // A kernel or sandbox without them: all processes we can see share one.
  }
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
  return started === undefined ? undefined : { boot: boot(), namespace: namespace(), pid, started };
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= identityOf(process.pid);
  if (!own) throw new Error('cannot read the start time of this process');
  return own;
}

/** `boot/namespace|pid|started`. What is added to it starts with another `|`. */
export const identityText = ({ boot: id, namespace: space, pid, started }: ProcessIdentity): string =>
  `${id}${space === '' ? '' : `/${space}`}|${pid}|${started}`;

/** Whether the very process still runs, where this one can see it: never true of one in another namespace. */
export const isRunning = (identity: ProcessIdentity): boolean =>
  identity.boot === boot() && identity.namespace === namespace() && startTime(identity.pid) === identity.started;

/**
 * Whether the process with this identity text may still run. Malformed text names no process. The system tells nothing
 * of one in another namespace (another container), so it counts as alive: only its heartbeat can say otherwise.
 * @param here The namespace of the one who asks.
 */
export function isAlive(text: string, here: string = namespace()): boolean {
  const [machine = '', pid, started] = text.split('|');
  const [id, space = ''] = machine.split('/');
  if (id !== boot() || !pid || !/^\d+$/.test(pid) || !started) return false;
  return space !== here || startTime(Number(pid)) === started;
}

/** Whether the text names a process of another machine, or of this one before it was started anew: both look the same. */
export function isElsewhere(text: string): boolean {
  const [machine = '', pid = '', started = ''] = text.split('|');
  const [id = ''] = machine.split('/');
  return /^[0-9a-zA-Z-]{1,64}$/.test(id) && /^\d+$/.test(pid) && started !== '' && id !== boot();
}
