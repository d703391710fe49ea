/** `application_id` of a queue file: "SCMX". */
export const APPLICATION_ID = 0x53434d58;

/** A step from one schema version to the next: runs in the transaction that raises the version. */
export type Migration = string;

const FIRST = `
CREATE TABLE scans (
  id INTEGER PRIMARY KEY,
  scan_id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  name TEXT,
  description TEXT,
  idempotency_key TEXT,
  request TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  engine TEXT NOT NULL,
  pool TEXT NOT NULL,
  priority INTEGER NOT NULL,
  project_id TEXT,
  pinned TEXT,
  state TEXT NOT NULL,
  rank INTEGER NOT NULL,
  bound TEXT NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  instance TEXT,
  external_scan_id TEXT,
  created_at INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  retry_at INTEGER,
  retry_from INTEGER,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  cancel_reason TEXT,
  progress TEXT,
  result TEXT,
  result_epoch INTEGER,
  error TEXT,
  checkpoint TEXT,
  event_seq INTEGER NOT NULL
) STRICT;
-- Empty bound: any instance may take it. Otherwise it is pinned, or is to be adopted where it was started.
CREATE INDEX waiting ON scans(pool, priority, rank) WHERE state = 'queued' AND bound = '';
CREATE INDEX waiting_bound ON scans(pool, bound, held, priority, rank) WHERE state = 'queued' AND bound <> '';
CREATE INDEX waiting_bound_rank ON scans(pool, priority, rank) WHERE state = 'queued' AND bound <> '';
-- To be adopted where they were started; only queued scans are held.
CREATE INDEX held ON scans(pool, bound) WHERE held = 1;
CREATE INDEX waiting_age ON scans(pool, queued_at) WHERE state = 'queued';
CREATE INDEX running ON scans(pool, instance, owner) WHERE state = 'running';
CREATE INDEX retrying ON scans(pool, retry_at) WHERE state = 'retrying';
CREATE INDEX live_twin ON scans(tenant, request_hash) WHERE state IN ('queued', 'running', 'retrying');
CREATE INDEX dead ON scans(tenant, finished_at) WHERE state IN ('failed', 'timed_out');
CREATE INDEX of_tenant ON scans(tenant);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  progress TEXT
) STRICT;
CREATE UNIQUE INDEX events_of_scan ON events(scan, seq);

CREATE TABLE idempotency (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  scan_id TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- Number of queued scans per block of ranks, blocks of 2^shift; shift 99 holds the total of a priority.
CREATE TABLE ranks (
  pool TEXT NOT NULL,
  shift INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (shift, pool, priority, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX empty_ranks ON ranks(n) WHERE n = 0;

-- Fair queueing: the last round given to a tenant; the empty tenant holds the round being served.
CREATE TABLE lanes (
  pool TEXT NOT NULL,
  priority INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  round INTEGER NOT NULL,
  PRIMARY KEY (pool, priority, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE rotation (
  pool TEXT NOT NULL,
  instance TEXT NOT NULL,
  turn INTEGER NOT NULL,
  PRIMARY KEY (pool, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE workers (worker_id TEXT PRIMARY KEY, beat INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seat (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL) STRICT;

CREATE TABLE durations (
  pool TEXT NOT NULL,
  n INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  PRIMARY KEY (pool, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
  pool TEXT NOT NULL,
  instance TEXT NOT NULL,
  health TEXT NOT NULL,
  checked_at INTEGER NOT NULL,
  PRIMARY KEY (pool, instance)
) STRICT, WITHOUT ROWID;
`;

const IMPORTS_AND_SUPPRESSIONS = `
ALTER TABLE scans ADD COLUMN origin TEXT NOT NULL DEFAULT 'run';
-- The same report again: request_hash names its bytes.
CREATE INDEX imports ON scans(tenant, request_hash, created_at) WHERE origin = 'imported';

-- One judgement per fingerprint, or per rule of an engine (then fingerprint is empty); the empty text is "any".
CREATE TABLE suppressions (
  tenant TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  engine TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  who TEXT NOT NULL,
  by_operator INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, fingerprint, engine, rule_id)
) STRICT, WITHOUT ROWID;
-- Rises with every change: what readers keep of the list is good as long as it stays.
CREATE TABLE suppression_changes (tenant TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The newest finished scan that looked at a place, per engine.
CREATE TABLE latest_looks (
  tenant TEXT NOT NULL,
  place TEXT NOT NULL,
  engine TEXT NOT NULL,
  scan_id TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, place, engine)
) STRICT, WITHOUT ROWID;
-- Scans that are in latest_looks as far as they belong there; a finished one that is missing was cut off by a crash.
CREATE TABLE indexed_scans (scan_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

const LOOKS_BY_WORD = `
-- Made again from the findings files when somebody asks.
DROP TABLE latest_looks;
DELETE FROM indexed_scans;
-- The newest finished scan that looked at a place, per engine. scan: its id in scans, the order of creation. also: other
-- words for the place, one per line; NULL: a name whose address nobody said.
CREATE TABLE latest_looks (
  tenant TEXT NOT NULL,
  place TEXT NOT NULL,
  engine TEXT NOT NULL,
  scan_id TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  scan INTEGER NOT NULL,
  also TEXT,
  PRIMARY KEY (tenant, place, engine)
) STRICT, WITHOUT ROWID;
CREATE INDEX unplaced_looks ON latest_looks(tenant, place) WHERE also IS NULL;
-- Words that places may be asked for by; what is out of date here does not show, because latest_looks decides.
CREATE TABLE look_words (
  tenant TEXT NOT NULL,
  word TEXT NOT NULL,
  place TEXT NOT NULL,
  PRIMARY KEY (tenant, word, place)
) STRICT, WITHOUT ROWID;
`;

const API_KEYS_AND_QUOTAS = `
CREATE TABLE api_keys (
  prefix TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
-- Addresses of the scans a tenant has submitted, per day (UTC, days since 1970).
CREATE TABLE hosts_per_day (
  tenant TEXT NOT NULL,
  day INTEGER NOT NULL,
  hosts INTEGER NOT NULL,
  PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;
`;

const SERVER_SECRETS = `
CREATE TABLE server_secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
`;

const OPERATIONS = `
-- What happened since the store was made, over all processes. Accepted scans are counted in ranks (shift 100), which a
-- submit writes anyway.
CREATE TABLE counts (
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  part TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (name, label, part)
) STRICT, WITHOUT ROWID;
INSERT INTO ranks (pool, shift, priority, bucket, n)
  SELECT pool, 100, 0, 0, count(*) FROM scans WHERE origin = 'run' GROUP BY pool;
INSERT INTO counts (name, label, part, n)
  SELECT 'started', pool, '', sum(epoch) FROM scans WHERE origin = 'run' GROUP BY pool HAVING sum(epoch) > 0;
INSERT INTO counts (name, label, part, n)
  SELECT 'finished', pool, state, count(*) FROM scans
  WHERE origin = 'run' AND state IN ('completed', 'failed', 'timed_out', 'cancelled') GROUP BY pool, state;

-- For operators: what has ended, newest first, and how many dead letters there are.
CREATE INDEX ended ON scans(state, pool) WHERE state IN ('completed', 'failed', 'timed_out', 'cancelled');
-- For retention. An imported scan is as old as its import, whenever it was run.
CREATE INDEX done_age ON scans(tenant, max(finished_at, created_at)) WHERE state IN ('completed', 'cancelled');
CREATE INDEX looks_of_scan ON latest_looks(scan);

-- What workers say of themselves (JSON), and when (epoch milliseconds).
ALTER TABLE workers ADD COLUMN facts TEXT;
ALTER TABLE workers ADD COLUMN beat_at INTEGER;
-- Elections among processes: until is epoch milliseconds.
CREATE TABLE turns (turn TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Entry `n` leads from version `n` to `n + 1`. Only ever appended to. */
export const MIGRATIONS: readonly Migration[] = [
  FIRST,
  IMPORTS_AND_SUPPRESSIONS,
  LOOKS_BY_WORD,
  SERVER_SECRETS,
  OPERATIONS,
  API_KEYS_AND_QUOTAS,
];
