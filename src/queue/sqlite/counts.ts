import { SEVERITIES } from '../../model/finding.ts';
import { isFinal, type ScanRecord, type ScanResult } from '../../model/scan.ts';
import { DURATION_BOUNDS } from '../operations.ts';
import { change, type Store } from './store.ts';

/** What is counted, by a label (a pool or an engine) and a part of it (a state, a severity, a bound). */
export type CountName = 'started' | 'finished' | 'retried' | 'lost' | 'duration' | 'duration_ms' | 'findings';

const COUNT = `INSERT INTO counts (name, label, part, n) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`;

/** In the transaction of what is counted. */
export function count(store: Store, name: CountName, label: string, part = '', n = 1): void {
  change(store, COUNT, name, label, part, n);
}

/** @param scan As it stands after the move. */
export function countMove(store: Store, scan: ScanRecord): void {
  const { state, request } = scan;
  if (state === 'running') count(store, 'started', request.pool);
  else if (state === 'retrying') count(store, 'retried', request.pool);
  else if (isFinal(state)) {
    count(store, 'finished', request.pool, state);
    countDuration(store, scan);
  }
}

/** A scan that never started took no time, and a clock that was set back measures none. */
function countDuration(store: Store, { startedAt, finishedAt, request: { pool } }: ScanRecord): void {
  const ms = (finishedAt ?? Number.NaN) - (startedAt ?? Number.NaN);
  if (!(ms >= 0)) return;
  count(store, 'duration', pool, boundOf(ms));
  count(store, 'duration_ms', pool, '', ms);
}

const boundOf = (ms: number): string => String(DURATION_BOUNDS.find((bound) => ms <= bound * 1_000) ?? Infinity);

export function countFindings(store: Store, engine: string, { by_severity: found }: ScanResult): void {
  for (const severity of SEVERITIES) {
    if (found[severity] > 0) count(store, 'findings', engine, severity, found[severity]);
  }
}
