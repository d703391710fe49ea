import { AppError } from '../../model/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { RedisClient } from './connection-watch.ts';
import { notConnected, plainFault } from './connection-faults.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';

/** The oldest whose scripts can say that they only read, or may use the last of the memory. */
const OLDEST = [7, 0] as const;

export interface Problem {
  readonly said: string;
  readonly fix: string;
  /** The queue cannot work there at all, whatever the operator allows. */
  readonly isFatal?: boolean;
}

/** What the start may rely on. */
export interface Judgement {
  /** Each of them can lose an accepted scan, or stops the queue from working at all. */
  readonly problems: readonly Problem[];
  /** What could not be checked, and what a failover can lose. */
  readonly notes: readonly string[];
  /**
   * How an accepted scan gets to the disk before it is answered: by itself (`always`), by waiting for it (`waitaof`), or
   * not at all.
   */
  readonly durability: 'always' | 'waitaof' | 'none';
}

/** Judges one server; knows nothing of how the facts were come by. */
export function judgeServer(facts: ServerFacts): Judgement {
  const problems = [...ageProblems(facts), ...roleProblems(facts), ...aofProblems(facts), ...evictionProblems(facts)];
  return { problems, notes: notesOf(facts), durability: durabilityOf(facts) };
}

function durabilityOf({ appendOnly, appendFsync, hasWaitAof }: ServerFacts): Judgement['durability'] {
  if (appendOnly === false) return 'none';
  if (appendFsync === 'always') return 'always';
  return hasWaitAof ? 'waitaof' : 'none';
}

function ageProblems({ product, version }: ServerFacts): Problem[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (product === 'Valkey' || version === '' || major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))
    return [];
  return [
    {
      said: `Redis ${version} is too old`,
      fix: `install Redis ${OLDEST.join('.')} or newer, or Valkey`,
      isFatal: true,
    },
  ];
}

function roleProblems({ role, mode }: ServerFacts): Problem[] {
  if (mode === 'sentinel') {
    return [{ said: 'this is a Sentinel, not a Redis', fix: 'write redis+sentinel:// in REDIS_URL', isFatal: true }];
  }
  if (role !== 'replica') return [];
  return [
    {
      said: 'it is a replica, which takes no writes',
      fix: 'name the master, or its sentinels (redis+sentinel://)',
      isFatal: true,
    },
  ];
}

const FSYNC_FIX = 'set `appendfsync always` (CONFIG SET appendfsync always; CONFIG REWRITE)';

function aofProblems({ appendOnly, appendFsync, hasWaitAof, isAofFailing }: ServerFacts): Problem[] {
  if (appendOnly === undefined) {
    return [{ said: 'it does not say whether it has an append-only file', fix: 'allow INFO to its user' }];
  }
  if (!appendOnly) {
    return [
      {
        said: 'it has no append-only file, so that a crash loses scans that were accepted',
        fix: 'set `appendonly yes` and `appendfsync always` (CONFIG SET both, then CONFIG REWRITE)',
      },
    ];
  }
  if (isAofFailing) {
    return [{ said: 'it cannot write its append-only file', fix: 'free its disk; its log says what is wrong' }];
  }
  if (appendFsync === 'always' || hasWaitAof) return [];
  if (appendFsync === undefined) {
    return [
      {
        said: 'it does not say what appendfsync is, which is everysec unless set, and has no WAITAOF',
        fix: 'allow `CONFIG GET` to its user (ACL: +config|get), or take Redis 7.2 or newer',
      },
    ];
  }
  return [
    {
      said: `appendfsync is ${appendFsync}, so that a crash loses scans that were accepted`,
      fix: `${FSYNC_FIX}, or take Redis 7.2 or newer, whose WAITAOF the queue then uses`,
    },
  ];
}

function evictionProblems({ evictionPolicy }: ServerFacts): Problem[] {
  if (evictionPolicy === undefined || evictionPolicy === 'noeviction') return [];
  return [
    {
      said: `maxmemory-policy is ${evictionPolicy}, so that a full Redis throws scans away`,
      fix: 'set `maxmemory-policy noeviction` (CONFIG SET maxmemory-policy noeviction; CONFIG REWRITE)',
    },
  ];
}

function notesOf({ evictionPolicy, role, replicas = 0, minReplicas, appendFsync, hasWaitAof }: ServerFacts): string[] {
  return [
    ...(evictionPolicy === undefined ? ['maxmemory-policy could not be checked: it must be noeviction'] : []),
    ...(role === undefined ? ['whether it is a replica could not be checked'] : []),
    ...(appendFsync === undefined && hasWaitAof ? ['appendfsync could not be checked; WAITAOF is used'] : []),
    ...(replicas > 0 && (minReplicas ?? 0) === 0
      ? [`it has ${replicas} replicas: a failover can lose what was accepted in the last moments before it`]
      : []),
  ];
}

/** What the doctor shows of a queue in Redis. */
export interface RedisReport extends Judgement {
  /** E.g. `Redis 7.0.15`; of a cluster the oldest. */
  readonly version: string;
  readonly servers: number;
}

/** Asks every server and puts the worst of them together. @throws AppError queue_unavailable, config_invalid */
export async function examineRedis(client: RedisClient): Promise<RedisReport> {
  const facts = await readServerFacts(client).catch((error: unknown) => {
    throw notConnected(plainFault(error));
  });
  const judged = facts.map(judgeServer);
  const [first] = facts.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
  const weakest = ['none', 'waitaof', 'always'] as const;
  return {
    version: first === undefined ? 'Redis' : `${first.product} ${first.version}`,
    servers: facts.length,
    problems: distinct(judged.flatMap(({ problems }) => problems)),
    notes: [...new Set(judged.flatMap(({ notes }) => notes))],
    durability: weakest.find((level) => judged.some(({ durability }) => durability === level)) ?? 'none',
  };
}

const distinct = (problems: readonly Problem[]): readonly Problem[] => [
  ...new Map(problems.map((problem) => [problem.said, problem])).values(),
];

/**
 * Refuses a Redis that can lose what it accepted, unless the operator allows that; then it is a warning.
 * @throws AppError storage_unusable, with every fix; queue_unavailable
 */
export async function preflight(
  client: RedisClient,
  { allowVolatile, log, shown }: { allowVolatile: boolean; log: Log; shown: string },
): Promise<RedisReport> {
  const report = await examineRedis(client);
  for (const note of report.notes) log.info({ redis: shown }, `Redis: ${note}`);
  if (report.problems.length === 0) return report;
  const isFatal = report.problems.some((problem) => problem.isFatal === true);
  if (allowVolatile && !isFatal) {
    for (const { said, fix } of report.problems) log.warn({ redis: shown, fix }, `Redis: ${said}`);
    return report;
  }
  throw new AppError(
    'storage_unusable',
    `Redis at ${shown} is not safe: ${report.problems.map(({ said }) => said).join('; ')}.`,
    {
      hint: `Operator: ${report.problems.map(({ fix }) => fix).join('; ')}.${isFatal ? '' : ' Or set allow_volatile_redis: true when accepted scans may be lost.'}`,
    },
  );
}
