import { AppError } from '../../model/errors.ts';
import { ScanState, type ScanRecord } from '../../model/scan.ts';
import type { NewImport, NewScan, StoredCheckpoint } from '../queue.ts';
import { isNothing, listOf, mapOf, numberOf, textOf } from './reply.ts';

/** What a caller gave and nothing ever changes; stored as one JSON text. */
type Given = Pick<
  ScanRecord,
  'tenant' | 'traceId' | 'name' | 'description' | 'idempotencyKey' | 'request' | 'requestHash' | 'engine'
>;

/** `undefined` members do not get into the text. */
export const givenText = (scan: NewScan | NewImport): string => {
  const { tenant, traceId, name, request, requestHash, engine } = scan;
  const more = 'result' in scan ? {} : { description: scan.description, idempotencyKey: scan.idempotencyKey };
  return JSON.stringify({ tenant, traceId, name, ...more, request, requestHash, engine });
};

const STATES: ReadonlyMap<string, ScanState> = new Map(ScanState.options.map((state) => [state, state]));

export function stateOf(text: string | undefined): ScanState {
  const state = STATES.get(text ?? '');
  if (!state) throw new AppError('data_too_new', 'Redis holds a scan in a state that this scanmux does not know.');
  return state;
}

/** JSON that this queue wrote from a typed value, in a store only scanmux writes: not validated again. */
export const jsonOf = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : JSON.parse(text);

interface Fetched {
  readonly scanId: string;
  readonly facts: ReadonlyMap<string, string>;
  readonly texts: ReadonlyMap<string, string>;
  readonly position: number;
}

function fetched(reply: unknown): Fetched {
  const [scanId, facts, texts, position] = listOf(reply);
  return { scanId: textOf(scanId), facts: mapOf(facts), texts: mapOf(texts), position: numberOf(position) };
}

/** The record that `reply` of scripts/reply.ts answered. */
export function recordOf(reply: unknown): ScanRecord {
  const { scanId, facts, texts, position } = fetched(reply);
  const given = jsonOf<Given>(texts.get('given'));
  if (!given) throw new AppError('internal_error', `Redis holds no request of ${scanId}.`);
  return {
    scanId,
    ...given,
    origin: facts.get('origin') === 'imported' ? 'imported' : 'run',
    state: stateOf(facts.get('state')),
    epoch: numberOf(facts.get('epoch') ?? 0),
    attempt: numberOf(facts.get('attempt') ?? 0),
    createdAt: numberOf(facts.get('created')),
    cancelRequested: facts.has('cancel'),
    ...present('instance', facts.get('instance')),
    ...present('externalScanId', texts.get('external')),
    ...times(facts),
    ...outcome(texts),
    ...(position > 0 ? { position } : {}),
  };
}

export const recordIfAny = (reply: unknown): ScanRecord | undefined => (isNothing(reply) ? undefined : recordOf(reply));

type Text = 'instance' | 'externalScanId';
const present = (name: Text, value: string | undefined): Partial<Pick<ScanRecord, Text>> =>
  value === undefined ? {} : { [name]: value };

type Time = 'startedAt' | 'finishedAt' | 'retryAt';

function times(facts: ReadonlyMap<string, string>): Partial<Pick<ScanRecord, Time>> {
  const [started, finished, retry] = ['started', 'finished', 'retry_at'].map((name) => facts.get(name));
  return {
    ...(started === undefined ? {} : { startedAt: numberOf(started) }),
    ...(finished === undefined ? {} : { finishedAt: numberOf(finished) }),
    ...(retry === undefined ? {} : { retryAt: numberOf(retry) }),
  };
}

function outcome(texts: ReadonlyMap<string, string>): Partial<Pick<ScanRecord, 'progress' | 'result' | 'error'>> {
  const progress = jsonOf<NonNullable<ScanRecord['progress']>>(texts.get('progress'));
  const result = jsonOf<NonNullable<ScanRecord['result']>>(texts.get('result'));
  const error = jsonOf<NonNullable<ScanRecord['error']>>(texts.get('error'));
  return { ...(progress ? { progress } : {}), ...(result ? { result } : {}), ...(error ? { error } : {}) };
}

/** The checkpoint in the same reply, with what was noted of it since. */
export function checkpointOf(reply: unknown): StoredCheckpoint | undefined {
  const { facts, texts } = fetched(reply);
  const kept = jsonOf<StoredCheckpoint>(texts.get('checkpoint'));
  const readIn = facts.get('read_in');
  return kept && { ...kept, ...(readIn === undefined ? {} : { readIn: numberOf(readIn) }) };
}
