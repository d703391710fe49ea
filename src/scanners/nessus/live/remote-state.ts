/** What the scanner's own word for the state of a scan means for us. */
export type RemoteState = 'waiting' | 'running' | 'paused' | 'stopping' | 'done' | 'cut' | 'unknown';

/** Union of what Nessus 6 to 10 and Tenable Vulnerability Management say. */
const STATES: Readonly<Record<string, RemoteState>> = {
  empty: 'waiting',
  pending: 'waiting',
  initializing: 'waiting',
  running: 'running',
  resuming: 'running',
  pausing: 'running',
  processing: 'running',
  publishing: 'running',
  paused: 'paused',
  stopping: 'stopping',
  canceling: 'stopping',
  cancelling: 'stopping',
  completed: 'done',
  imported: 'done',
  stopped: 'cut',
  canceled: 'cut',
  cancelled: 'cut',
  aborted: 'cut',
};

export const stateOf = (status: string): RemoteState =>
  (Object.hasOwn(STATES, status) ? STATES[status] : undefined) ?? 'unknown';

/** Nothing more happens to it by itself. */
export const isOver = (status: string): boolean => stateOf(status) === 'done' || stateOf(status) === 'cut';

/** Why a scan that was cut is not whole; undefined for one that is. */
export function shortfallOf(status: string): string | undefined {
  if (stateOf(status) !== 'cut') return undefined;
  return status === 'aborted'
    ? 'The scanner aborted the scan (it was restarted, upgraded or ran out of something); only what was found until then is here.'
    : 'Somebody stopped the scan at the scanner; only what was found until then is here.';
}
