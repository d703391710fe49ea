import { AppError } from '../../model/errors.ts';
import {
  SUPPRESSION_STATUSES,
  type Suppressions,
  type SuppressionStatus,
  type SuppressionSubject,
} from '../../model/suppression.ts';
import type { Row } from '../../platform/sqlite.ts';
import { asOf, isCurrent, type Kept } from '../suppressions-in-force.ts';
import type { NewSuppression, StoredSuppression, SuppressionList } from '../suppressions.ts';
import { numberOf, optionalNumber, textOf } from './row.ts';
import { change, many, one, type Store } from './store.ts';

/** An agent that suppresses in a loop must neither fill the disk nor slow every answer down. */
const MOST_PER_TENANT = 50_000;
/** How long expired ones are still listed. */
const LISTED_MS = 365 * 86_400_000;
/** "Any" in a column of the key. */
const ANY = '';

export function createSuppressionList(store: Store): SuppressionList {
  const inForce = createInForce(store);
  return {
    put: (tenant, suppression) => store.write(() => put(store, tenant, suppression)),
    remove: (tenant, subject) => store.write(() => remove(store, tenant, subject)),
    inForce: async (tenant) => inForce(tenant),
    list: async (tenant) => all(store, tenant),
  };
}

const keyOf = (subject: SuppressionSubject): readonly [string, string, string] =>
  'fingerprint' in subject ? [subject.fingerprint, ANY, ANY] : [ANY, subject.engine, subject.rule_id];

function put(store: Store, tenant: string, suppression: NewSuppression): StoredSuppression {
  const now = store.clock.now();
  const key = keyOf(suppression);
  change(store, 'DELETE FROM suppressions WHERE tenant = ? AND expires_at < ?', tenant, now - LISTED_MS);
  requireRoom(store, tenant);
  const { status, reason, who, byOperator = false, expiresAt } = suppression;
  change(
    store,
    `INSERT OR REPLACE INTO suppressions
     (tenant, fingerprint, engine, rule_id, status, reason, who, by_operator, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    tenant,
    ...key,
    status,
    reason,
    who,
    byOperator ? 1 : 0,
    now,
    expiresAt,
  );
  noteChange(store, tenant);
  return stored(find(store, tenant, key) ?? {});
}

function requireRoom(store: Store, tenant: string): void {
  const held = numberOf(one(store, 'SELECT count(*) AS n FROM suppressions WHERE tenant = ?', tenant) ?? {}, 'n');
  if (held < MOST_PER_TENANT) return;
  throw new AppError('quota_exceeded', `There are ${held} suppressions, which is the most there can be.`, {
    hint: 'Operator: `scanmux suppressions` lists them; judge a whole rule instead of each of its findings.',
  });
}

function remove(store: Store, tenant: string, subject: SuppressionSubject): StoredSuppression | undefined {
  const key = keyOf(subject);
  const row = find(store, tenant, key);
  if (!row) return undefined;
  change(
    store,
    'DELETE FROM suppressions WHERE tenant = ? AND fingerprint = ? AND engine = ? AND rule_id = ?',
    tenant,
    ...key,
  );
  noteChange(store, tenant);
  const was = stored(row);
  return was.expiresAt > store.clock.now() ? was : undefined;
}

const find = (store: Store, tenant: string, key: readonly [string, string, string]): Row | undefined =>
  one(
    store,
    'SELECT * FROM suppressions WHERE tenant = ? AND fingerprint = ? AND engine = ? AND rule_id = ?',
    tenant,
    ...key,
  );

const noteChange = (store: Store, tenant: string): number =>
  change(
    store,
    'INSERT INTO suppression_changes (tenant, n) VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1',
    tenant,
  );

const all = (store: Store, tenant: string): readonly StoredSuppression[] =>
  many(
    store,
    'SELECT * FROM suppressions WHERE tenant = ? ORDER BY created_at DESC, fingerprint, engine, rule_id',
    tenant,
  ).map(stored);

const STATUSES: ReadonlyMap<string, SuppressionStatus> = new Map(
  SUPPRESSION_STATUSES.map((status) => [status, status]),
);

function stored(row: Row): StoredSuppression {
  const [fingerprint, status] = [textOf(row, 'fingerprint'), STATUSES.get(textOf(row, 'status'))];
  if (!status) throw new AppError('storage_unusable', 'The queue file holds an unexpected value in "status".');
  return {
    ...(fingerprint === ANY ? { engine: textOf(row, 'engine'), rule_id: textOf(row, 'rule_id') } : { fingerprint }),
    status,
    reason: textOf(row, 'reason'),
    who: textOf(row, 'who'),
    ...(numberOf(row, 'by_operator') === 1 ? { byOperator: true } : {}),
    createdAt: numberOf(row, 'created_at'),
    expiresAt: numberOf(row, 'expires_at'),
  };
}

/** Reads the list only when it was changed, and gives the same object until then or until one of them expires. */
function createInForce(store: Store): (tenant: string) => Suppressions {
  const changesOf = store.recall.of((tenant) =>
    optionalNumber(one(store, 'SELECT n FROM suppression_changes WHERE tenant = ?', tenant) ?? {}, 'n'),
  );
  const kept = new Map<string, Kept>();
  return (tenant) => {
    const changes = changesOf(tenant) ?? 0;
    const now = store.clock.now();
    const known = kept.get(tenant);
    const isUnchanged = known?.changes === changes;
    if (known && isUnchanged && isCurrent(known, now)) return known.answer;
    const made = asOf(isUnchanged ? known.stored : all(store, tenant), changes, now);
    kept.set(tenant, made);
    return made.answer;
  };
}
