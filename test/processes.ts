import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
}

/** Other processes with a text in their environment or arguments, by the system's own word. */
export function processesWith(text: string): SeenProcess[] {
  if (process.platform !== 'linux') return byPs(text);
  return readdirSync('/proc').flatMap((entry) => {
    try {
      if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
      const said = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${entry}/${file}`, 'latin1'));
      if (!said.some((part) => part.includes(text))) return [];
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return [{ pid: Number(entry), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
    } catch {
      return []; // ended meanwhile, or somebody else's
    }
  });
}

function byPs(text: string): SeenProcess[] {
  const { stdout } = spawnSync('/bin/ps', ['-E', '-ww', '-x', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line.includes(text));
  return lines.flatMap((line) => {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    return pid === process.pid ? [] : [{ pid, parent }];
  });
}

/** Waits until no process names the text any more. @throws {Error} When some still run after the time. */
export async function untilGone(text: string, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const left = processesWith(text);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`still run: ${left.map(({ pid }) => pid).join(', ')}`);
    await delay(20);
  }
}
