import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { JobCounts, JobState, JobStatus, QueueJob, QueueMetrics, Status } from '@bull-board/api/typings/app';
import { SCAN_ID } from '../../model/ids.ts';
import { ScanState } from '../../model/scan.ts';
import type { QueueOperations } from '../../queue/operations.ts';
import { BOARD_STATES, boardJob, type BoardActions } from './board-job.ts';

export interface BoardQueueDeps {
  readonly operations: Pick<QueueOperations, 'list' | 'find' | 'workers'>;
  readonly actions: BoardActions;
}

const STATUSES = ['latest', 'active', 'waiting', 'delayed', 'completed', 'failed'] as const;
const MAX_PAGE = 100;

const statesOf = (status: JobState): ScanState[] => ScanState.options.filter((state) => BOARD_STATES[state] === status);

/** The board's way to write a scan's place in the queue is not ours: whatever else it offers is refused. */
const refused = (): Promise<never> => Promise.reject(new Error('This page only retries and cancels scans.'));

/** One pool of scanners as a queue of Bull Board, over all tenants. Knows nothing of BullMQ and Redis. */
export class PoolBoardQueue extends BaseAdapter {
  readonly #pool: string;
  readonly #deps: BoardQueueDeps;

  constructor(pool: string, deps: BoardQueueDeps) {
    // The type `bullmq` would promise flows and rate limits.
    super('bull', { allowCompletedRetries: false, description: `Scans of the pool ${pool}` });
    this.#pool = pool;
    this.#deps = deps;
  }

  getName(): string {
    return this.#pool;
  }

  getStatuses(): Status[] {
    return [...STATUSES];
  }

  getJobStatuses(): JobStatus[] {
    return ['active', 'waiting', 'delayed', 'completed', 'failed'];
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    const scan = SCAN_ID.test(id) ? await this.#deps.operations.find(id) : undefined;
    return scan?.request.pool === this.#pool ? boardJob(scan, this.#deps.actions) : undefined;
  }

  async getJobs(statuses: JobStatus[], start = 0, end = MAX_PAGE - 1): Promise<QueueJob[]> {
    const states = statuses.flatMap(statesOf);
    const limit = Math.min(end - start + 1, MAX_PAGE);
    if (states.length === 0 || limit < 1 || start < 0) return [];
    const { scans } = await this.#deps.operations.list({ pool: this.#pool, states, offset: start, limit });
    return scans.map((scan) => boardJob(scan, this.#deps.actions));
  }

  async getJobCounts(): Promise<JobCounts> {
    const count = async (status: JobState): Promise<number> => {
      const page = { pool: this.#pool, states: statesOf(status), offset: 0, limit: 1 };
      return (await this.#deps.operations.list(page)).total;
    };
    const [active, waiting, delayed, completed, failed] = await Promise.all([
      count('active'),
      count('waiting'),
      count('delayed'),
      count('completed'),
      count('failed'),
    ]);
    return { active, waiting, delayed, completed, failed };
  }

  override async getWorkers() {
    const workers = await this.#deps.operations.workers();
    return workers
      .filter(({ pools }) => pools === undefined || pools.includes(this.#pool))
      .map(({ workerId, host, pid, startedAt, draining, running }) => ({
        id: workerId,
        name: `${host} (${running} running${draining ? ', draining' : ''})`,
        addr: `${host}, process ${pid}`,
        age: Math.max(0, Math.round((Date.now() - startedAt) / 1000)),
      }));
  }

  getJobLogs = (): Promise<string[]> => Promise.resolve([]);
  getRedisInfo = (): Promise<null> => Promise.resolve(null);
  isPaused = (): Promise<boolean> => Promise.resolve(false);
  getJobSchedulers = (): Promise<[]> => Promise.resolve([]);
  getJobSchedulersCount = (): Promise<number> => Promise.resolve(0);
  getGlobalConcurrency = (): Promise<null> => Promise.resolve(null);
  getMetrics = (): Promise<QueueMetrics> =>
    Promise.resolve({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });

  addJob = refused;
  clean = refused;
  pause = refused;
  resume = refused;
  empty = refused;
  obliterate = refused;
  promoteAll = refused;
  removeJobScheduler = refused;
  updateJobScheduler = refused;
  runJobSchedulerNow = refused;
  setGlobalConcurrency = refused;
}
