import type { Database } from '../platform/sqlite.ts';
import { cleanEntry, entryHash, entryOfRow, GENESIS, type AuditEntry, type NewAuditEntry } from './entry.ts';
import { readHead, writeHead, type Head } from './head.ts';
import { headPath, openAuditDatabase } from './schema.ts';
import { verifyChain, type AuditVerdict } from './verify.ts';

/** The record of who asked for what. Append-only, hash-chained, shared by every process on the data folder. */
export interface AuditLog {
  /** Durable once it resolves. @throws AppError queue_unavailable, storage_full, storage_unusable */
  append(entry: NewAuditEntry): Promise<void>;
  verify(): Promise<AuditVerdict>;
  /** The newest `count` entries, oldest first. */
  tail(count: number): Promise<readonly AuditEntry[]>;
  /** Appends made before are durable when it resolves. */
  close(): Promise<void>;
}

interface Waiting {
  readonly entry: ReturnType<typeof cleanEntry>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of one transaction; more wait for the next. */
const BATCH = 500;
const MAX_TAIL = 10_000;

/**
 * Opens `<folder>/audit.db`, with `<folder>/audit.head` beside it.
 * @throws AppError data_too_new, storage_unusable, storage_full, queue_unavailable
 */
export async function openAuditLog(deps: {
  readonly folder: string;
  readonly clock: { now(): number };
}): Promise<AuditLog> {
  const db = await openAuditDatabase(deps.folder);
  const head = headPath(deps.folder);
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await appendBatch(db, head, batch, deps.clock.now());
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = undefined;
  };

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ entry: cleanEntry(entry), resolve, reject });
        running ??= drain();
      }),
    verify: async () => verifyChain(db, readHead(head)),
    tail: (count) => Promise.resolve(newest(db, count)),
    async close() {
      await running;
      db.close();
    },
  };
}

/** Entries that wait together share one commit. The head follows under the lock, so heads of processes cannot cross. */
async function appendBatch(db: Database, head: string, batch: readonly Waiting[], at: number): Promise<void> {
  await db.write(() => {
    const end = endOf(db, readHead(head));
    let { seq, hash: prevHash } = end;
    for (const { entry } of batch) {
      seq += 1;
      const made = { ...entry, seq, at, prevHash };
      prevHash = entryHash(made);
      insert(db, { ...made, hash: prevHash });
    }
  });
  await db.write(() => {
    const last = lastOf(db);
    if (last) writeHead(head, last);
  });
}

/**
 * What the next entry follows. A head that the rows do not bear out is evidence: the next entry is chained to it, so that
 * the break stays visible although the head moves on.
 */
function endOf(db: Database, head: Head | 'unreadable' | undefined): Head {
  const last = lastOf(db) ?? { seq: 0, hash: GENESIS };
  if (head === undefined || head === 'unreadable') return { seq: last.seq, hash: 'no head' };
  const atHead =
    head.seq === 0 ? GENESIS : db.prepare('SELECT hash FROM entries WHERE seq = ?').get(head.seq)?.['hash'];
  return atHead === head.hash ? last : { seq: Math.max(last.seq, head.seq), hash: head.hash };
}

function lastOf(db: Database): Head | undefined {
  const row = db.prepare('SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1').get();
  return row && { seq: Number(row['seq']), hash: String(row['hash']) };
}

function insert(db: Database, entry: AuditEntry): void {
  db.prepare(
    `INSERT INTO entries (seq, at, tenant, name, action, decision, scan_id, trace_id, targets, detail, prev_hash, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    entry.seq,
    entry.at,
    entry.caller.tenant,
    entry.caller.name,
    entry.action,
    entry.decision,
    entry.scanId ?? null,
    entry.traceId ?? null,
    JSON.stringify(entry.targets),
    JSON.stringify(entry.detail),
    entry.prevHash,
    entry.hash,
  );
}

function newest(db: Database, count: number): AuditEntry[] {
  const rows = db
    .prepare('SELECT * FROM entries ORDER BY seq DESC LIMIT ?')
    .all(Math.max(0, Math.min(Math.trunc(count), MAX_TAIL)));
  return rows.toReversed().flatMap((row) => entryOfRow(row) ?? []);
}
