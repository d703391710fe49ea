import { createHash } from 'node:crypto';
import { z } from 'zod';
import { withoutSecrets } from '../model/mask.ts';
import { cleanLine } from '../model/untrusted.ts';

/** What happened. Every one of these is written before its effect is answered. */
export const AUDIT_ACTIONS = [
  'submit',
  'refuse',
  'cancel',
  'read_results',
  'credential_use',
  'export',
  'import',
  'suppress',
  'policy_change',
  'data_update',
  'dead_letter_retry',
  'dead_letter_purge',
  'retention',
  'key_create',
  'key_revoke',
  'login_refused',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

type DetailValue = string | number | boolean | readonly string[];

/** An entry to append. Texts may come from an agent: they are cleaned and capped before they are kept. */
export interface NewAuditEntry {
  readonly caller: { readonly tenant: string; readonly name: string };
  readonly action: AuditAction;
  /** `allowed`, `refused`, or what became of it. */
  readonly decision: string;
  readonly scanId?: string;
  readonly traceId?: string;
  readonly targets?: readonly string[];
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, DetailValue>>;
}

/** An entry as it is kept. */
export interface AuditEntry extends NewAuditEntry {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Epoch milliseconds, UTC, by the clock of the machine: it may jump; `seq` is the order. */
  readonly at: number;
  readonly targets: readonly string[];
  readonly detail: Readonly<Record<string, DetailValue>>;
  readonly prevHash: string;
  /** Hex SHA-256 over everything above. */
  readonly hash: string;
}

const MAX_TARGETS = 1_000;
const MAX_DETAILS = 50;

/** SQLite keeps no lone surrogate: text that would come back changed must not be hashed. */
const kept = (text: string, maxLength: number): string =>
  Buffer.from(cleanLine(text, maxLength), 'utf8').toString('utf8');

/** Cleaned and capped, so that neither a log viewer nor the file's size is at the mercy of a caller. */
export function cleanEntry(entry: NewAuditEntry): Omit<AuditEntry, 'seq' | 'at' | 'prevHash' | 'hash'> {
  return {
    caller: { tenant: kept(entry.caller.tenant, 200), name: kept(entry.caller.name, 200) },
    action: entry.action,
    decision: kept(entry.decision, 200),
    ...(entry.scanId === undefined ? {} : { scanId: kept(entry.scanId, 100) }),
    ...(entry.traceId === undefined ? {} : { traceId: kept(entry.traceId, 100) }),
    targets: cleanList((entry.targets ?? []).map(withoutSecrets)),
    detail: Object.fromEntries(
      Object.entries(entry.detail ?? {})
        .slice(0, MAX_DETAILS)
        .map(([key, value]): [string, DetailValue] => [kept(key, 100), cleanValue(value)])
        // Schemas drop this key when they read it back, which would look like a changed entry.
        .filter(([key]) => key !== '__proto__'),
    ),
  };
}

function cleanList(texts: readonly string[]): string[] {
  const shown = texts.slice(0, MAX_TARGETS).map((text) => kept(text, 2_000));
  return texts.length > MAX_TARGETS ? [...shown, `… and ${texts.length - MAX_TARGETS} more`] : shown;
}

function cleanValue(value: DetailValue): DetailValue {
  if (typeof value === 'string') return kept(value, 2_000);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return typeof value === 'boolean' ? value : cleanList(value);
}

/** What the hash covers: all of the entry in one fixed order of keys, and the version of that order. */
export function entryHash(entry: Omit<AuditEntry, 'hash'>): string {
  const { seq, at, caller, action, decision, scanId, traceId, targets, detail, prevHash } = entry;
  const sorted = Object.entries(detail).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify({
    v: 1,
    seq,
    at,
    tenant: caller.tenant,
    name: caller.name,
    action,
    decision,
    scan_id: scanId ?? null,
    trace_id: traceId ?? null,
    targets,
    detail: sorted,
    prev_hash: prevHash,
  });
  return createHash('sha256').update(canonical).digest('hex');
}

/** `prevHash` of the first entry. */
export const GENESIS = '0'.repeat(64);

const DetailSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]));

/** A row of the table, as strictly as it was written: anything else was not written by this program. */
const RowSchema = z.object({
  seq: z.int(),
  at: z.int(),
  tenant: z.string(),
  name: z.string(),
  action: z.enum(AUDIT_ACTIONS),
  decision: z.string(),
  scan_id: z.string().nullable(),
  trace_id: z.string().nullable(),
  targets: z.string(),
  detail: z.string(),
  prev_hash: z.string(),
  hash: z.string(),
});

/** Undefined when the row is nothing this program could have written. */
export function entryOfRow(value: unknown): AuditEntry | undefined {
  const parsed = RowSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const row = parsed.data;
  const targets = z.array(z.string()).safeParse(jsonOrUndefined(row.targets));
  const detail = DetailSchema.safeParse(jsonOrUndefined(row.detail));
  if (!targets.success || !detail.success) return undefined;
  return {
    seq: row.seq,
    at: row.at,
    caller: { tenant: row.tenant, name: row.name },
    action: row.action,
    decision: row.decision,
    ...(row.scan_id === null ? {} : { scanId: row.scan_id }),
    ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
    targets: targets.data,
    detail: detail.data,
    prevHash: row.prev_hash,
    hash: row.hash,
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
