import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../model/errors.ts';
import { SUPPRESSION_STATUSES, type Suppressions, type SuppressionSubject } from '../../model/suppression.ts';
import { asOf, isCurrent, type Kept } from '../suppressions-in-force.ts';
import type { NewSuppression, StoredSuppression, SuppressionList } from '../suppressions.ts';
import { PUT_SUPPRESSION, READ_SUPPRESSIONS, REMOVE_SUPPRESSION } from './scripts/suppressions.ts';
import type { RedisStore } from './store.ts';

/** An agent that suppresses in a loop must neither fill the memory nor slow every answer down. */
const MOST_PER_TENANT = 50_000;
/** How long expired ones are still listed. */
const LISTED_MS = 365 * 86_400_000;

export function createRedisSuppressions(store: RedisStore): SuppressionList {
  const kept = new Map<string, Kept>();
  return {
    put: (tenant, suppression) => put(store, tenant, suppression),
    remove: (tenant, subject) => remove(store, tenant, subject),
    inForce: (tenant) => inForce(store, kept, tenant),
    async list(tenant) {
      const { stored = [] } = await read(store, tenant, -1);
      return stored.toSorted((a, b) => b.createdAt - a.createdAt || compare(subjectOf(a), subjectOf(b)));
    },
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Field of the hash: what a judgement is about, told apart from everything else it could be about. */
const subjectOf = ({ fingerprint, engine, rule_id: ruleId }: Partial<SuppressionText>): string =>
  JSON.stringify(fingerprint === undefined ? ['', engine, ruleId] : [fingerprint, '', '']);

interface SuppressionText {
  readonly fingerprint: string;
  readonly engine: string;
  readonly rule_id: string;
}

/** As it is kept. A newer version may have added keys: they are left out here, and replaced by the next `put` only. */
const Stored = z.object({
  fingerprint: z.string().optional(),
  engine: z.string().optional(),
  rule_id: z.string().optional(),
  status: z.enum(SUPPRESSION_STATUSES),
  reason: z.string(),
  who: z.string(),
  byOperator: z.literal(true).optional(),
  createdAt: z.number(),
  expiresAt: z.number(),
});

async function put(store: RedisStore, tenant: string, suppression: NewSuppression): Promise<StoredSuppression> {
  const now = store.clock.now();
  const { byOperator, ...rest } = suppression;
  const made: StoredSuppression = { ...rest, ...(byOperator === true ? { byOperator } : {}), createdAt: now };
  const text = JSON.stringify(made);
  const ends = [made.expiresAt, now - LISTED_MS] as const;
  const held = await store.run(PUT_SUPPRESSION, tenant, subjectOf(made), text, ...ends, MOST_PER_TENANT);
  if (held === -1) return storedOf(text);
  throw new AppError('quota_exceeded', `There are ${String(held)} suppressions, which is the most there can be.`, {
    hint: 'Operator: `scanmux suppressions` lists them; judge a whole rule instead of each of its findings.',
  });
}

async function remove(
  store: RedisStore,
  tenant: string,
  subject: SuppressionSubject,
): Promise<StoredSuppression | undefined> {
  const held = await store.run(REMOVE_SUPPRESSION, tenant, subjectOf(subject), randomUUID());
  if (typeof held !== 'string') return undefined;
  const was = storedOf(held);
  return was.expiresAt > store.clock.now() ? was : undefined;
}

function storedOf(text: string): StoredSuppression {
  const parsed = Stored.safeParse(JSON.parse(text));
  if (!parsed.success) throw new AppError('storage_unusable', 'Redis holds a suppression that cannot be read.');
  const { fingerprint, engine, rule_id: ruleId, byOperator, ...rest } = parsed.data;
  return {
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(engine === undefined ? {} : { engine }),
    ...(ruleId === undefined ? {} : { rule_id: ruleId }),
    ...rest,
    ...(byOperator === undefined ? {} : { byOperator }),
  };
}

const Reply = z.union([z.tuple([z.string()]), z.tuple([z.string(), z.array(z.string())])]);

/** The judgements, unless nothing was changed since `known` changes. */
async function read(
  store: RedisStore,
  tenant: string,
  known: number,
): Promise<{ changes: number; stored: readonly StoredSuppression[] | undefined }> {
  const [changes, texts] = Reply.parse(await store.run(READ_SUPPRESSIONS, tenant, known));
  return { changes: Number(changes), stored: texts?.map(storedOf) };
}

/** One question that is answered by a number as long as nothing changed; then the same object is given again. */
async function inForce(store: RedisStore, kept: Map<string, Kept>, tenant: string): Promise<Suppressions> {
  const known = kept.get(tenant);
  const { changes, stored = known?.stored ?? [] } = await read(store, tenant, known?.changes ?? -1);
  const now = store.clock.now();
  // Another question may have been answered meanwhile.
  const latest = kept.get(tenant);
  if (latest?.changes === changes && isCurrent(latest, now)) return latest.answer;
  const made = asOf(stored, changes, now);
  kept.set(tenant, made);
  return made.answer;
}
