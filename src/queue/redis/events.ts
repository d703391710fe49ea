import type { Progress } from '../../model/scan.ts';
import type { ScanEvent } from '../queue.ts';
import { jsonOf, stateOf } from './record.ts';
import { isNothing, listOf, numberOf, textsOf } from './reply.ts';
import { EVENTS } from './scripts/read.ts';
import type { RedisStore } from './store.ts';

const MAX_EVENTS = 1_000;
const FIRST_SEQ = 1;

export async function events(
  store: RedisStore,
  tenant: string,
  scanId: string,
  afterSeq: number,
  limit = MAX_EVENTS,
): Promise<readonly ScanEvent[]> {
  const most = Math.min(limit, MAX_EVENTS);
  if (most < 1) return [];
  const reply = await store.run(EVENTS, tenant, scanId, Math.max(0, afterSeq), most);
  if (isNothing(reply)) return [];
  const [created, origin, written] = listOf(reply);
  const from = Math.max(FIRST_SEQ, afterSeq) + 1;
  const stored = textsOf(written).map((text, index) => eventOf(scanId, from + index, text));
  if (afterSeq >= FIRST_SEQ) return stored;
  const state = origin === 'imported' ? 'completed' : 'queued';
  return [{ scanId, seq: FIRST_SEQ, at: numberOf(created), state } as const, ...stored].slice(0, most);
}

/** `<epoch milliseconds> <state> <progress or nothing>` */
function eventOf(scanId: string, seq: number, text: string): ScanEvent {
  const [, at, state, shown] = /^(-?\d+) (\w+) (.*)$/s.exec(text) ?? [];
  const progress = shown === '' ? undefined : jsonOf<Progress>(shown);
  const event = { scanId, seq, at: numberOf(at), state: stateOf(state) };
  return progress ? { ...event, progress } : event;
}
