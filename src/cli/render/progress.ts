import type { Progress } from '../../model/scan.ts';
import { fitText } from './table.ts';

const BAR = 24;

/** `1:05`, or `1:02:03` from an hour on. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** What a scan is doing, as one sentence without a bar: for logs and pipes. */
export function progressText({
  percent,
  phase,
  hosts_done,
  hosts_total,
  findings_so_far,
  estimated,
}: Progress): string {
  const places = hosts_total > 0 ? `, ${hosts_done}/${hosts_total} hosts` : '';
  return `${Math.floor(percent)} %${estimated ? ' (estimated)' : ''} ${phase}${places}, ${findings_so_far} findings so far`;
}

/** One line with a bar, no wider than the terminal. `waiting` is shown while there is no progress yet. */
export function progressBar(
  progress: Progress | undefined,
  waiting: string,
  elapsedMs: number,
  columns: number,
): string {
  const filled = Math.round(((progress?.percent ?? 0) / 100) * BAR);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}]`;
  const said = progress ? progressText(progress) : waiting;
  // One column less than there are: some terminals wrap a line that fills the last one.
  return fitText(`${bar} ${clockText(elapsedMs)} ${said}`, columns - 1);
}
