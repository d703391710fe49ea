import type { Details } from '../api/answers.ts';

export interface HostProgress {
  /** 0 to 99: only the scanner's word ends a scan. */
  readonly percent: number;
  readonly hostsDone: number;
  readonly findingsSoFar: number;
}

/**
 * An estimate from the hosts that are listed. Nessus lists a host only once it has begun with it, so the share of what is
 * done can fall; whoever shows it keeps it rising.
 */
export function progressOf({ hosts, vulnerabilities }: Pick<Details, 'hosts' | 'vulnerabilities'>): HostProgress {
  let current = 0;
  let total = 0;
  let hostsDone = 0;
  for (const { scanprogresscurrent, scanprogresstotal } of hosts) {
    const all = usable(scanprogresstotal);
    const done = Math.min(usable(scanprogresscurrent), all);
    current += done;
    total += all;
    if (all > 0 && done === all) hostsDone += 1;
  }
  const percent = total === 0 ? 0 : Math.min(99, Math.floor((100 * current) / total));
  const findingsSoFar = vulnerabilities.reduce((sum, { count }) => sum + usable(count), 0);
  return { percent, hostsDone, findingsSoFar: Math.floor(Math.min(findingsSoFar, Number.MAX_SAFE_INTEGER)) };
}

/** Bounded, so that no sum of them is infinite. */
const usable = (value: number | undefined): number =>
  value !== undefined && Number.isFinite(value) && value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
