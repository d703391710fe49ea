import { Worker } from 'node:worker_threads';
import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import type { JobRunner, RunOptions } from './job-runner.ts';
import type { JobInput, JobName, JobOutput } from './jobs.ts';
import type { OpenFilesLimits } from './open-files.ts';
import { fromFailure } from './thread-messages.ts';
import type { FromThread } from './thread-messages.ts';

/**
 * Jobs that take long but give others their turn (they await something every few milliseconds), so that a thread that
 * runs one still counts as free.
 */
const COOPERATIVE: ReadonlySet<JobName> = new Set<JobName>(['export']);

/** A thread that reads a hostile file must not take the memory of the whole process; columns are not part of this. */
const HEAP_MIB = 512;

export interface ThreadsOptions {
  readonly count: number;
  readonly limits: OpenFilesLimits;
  readonly log: Log;
  /** The compiled thread.ts. */
  readonly program?: URL;
}

/** A job that is not done; `exclusive` ones have a thread to themselves, apart from cooperative ones. */
interface Waiting {
  readonly file: string;
  readonly exclusive: boolean;
  start(thread: Thread): void;
  fail(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** Files it read before, as far as we know; it may have closed some. */
  readonly files: Set<string>;
  readonly jobs: Set<Waiting>;
}

const REMEMBERED_FILES = 16;

const isFree = ({ jobs }: Thread): boolean => [...jobs].every(({ exclusive }) => !exclusive);

/**
 * Reader threads, started when they are first needed. A question goes to the thread that has its file open while that
 * one is free, else to another, so that no answer waits behind another and columns are mostly loaded once. Threads keep
 * a process alive only while a question is open.
 */
export function createThreads({ count, limits, log, program }: ThreadsOptions): JobRunner {
  const threads = new Set<Thread>();
  const queue: Waiting[] = [];
  const url = program ?? new URL('./thread.js', import.meta.url);

  const lost = (thread: Thread, why: string): void => {
    if (!threads.delete(thread)) return;
    if (thread.jobs.size > 0) log.error({ why, jobs: thread.jobs.size }, 'A reader thread of findings ended.');
    for (const job of thread.jobs) job.fail(new AppError('internal_error', 'The thread that read the findings ended.'));
    dispatch();
  };
  const startThread = (): Thread => {
    const worker = new Worker(url, {
      workerData: { ...limits, maxColumnBytes: Math.floor(limits.maxColumnBytes / count) },
      execArgv: [],
      // Standard output belongs to MCP.
      stdout: true,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const thread: Thread = { worker, files: new Set(), jobs: new Set() };
    worker.setMaxListeners(0);
    worker.on('error', (error) => lost(thread, error.message));
    worker.on('exit', (code) => lost(thread, `exit code ${code}`));
    worker.unref();
    threads.add(thread);
    return thread;
  };
  const threadFor = ({ file, exclusive }: Waiting): Thread | undefined => {
    const all = [...threads].toSorted((a, b) => a.jobs.size - b.jobs.size);
    const free = exclusive ? all.filter(isFree) : all;
    const known = free.find(({ files }) => files.has(file));
    if (known) return known;
    const idle = free.find(({ jobs }) => jobs.size === 0);
    return idle ?? (threads.size < count ? startThread() : free[0]);
  };
  function dispatch(): void {
    for (const job of queue.splice(0)) {
      const thread = threadFor(job);
      if (!thread) {
        queue.push(job);
        continue;
      }
      thread.files.delete(job.file);
      thread.files.add(job.file);
      const [oldest] = thread.files;
      if (thread.files.size > REMEMBERED_FILES && oldest !== undefined) thread.files.delete(oldest);
      thread.jobs.add(job);
      thread.worker.ref();
      job.start(thread);
    }
  }
  const done = (thread: Thread, job: Waiting): void => {
    thread.jobs.delete(job);
    if (thread.jobs.size === 0) thread.worker.unref();
    dispatch();
  };
  let lastId = 0;

  function run<N extends JobName>(name: N, input: JobInput<N>, { file, signal }: RunOptions): Promise<JobOutput<N>> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      const job: Waiting = {
        file,
        exclusive: !COOPERATIVE.has(name),
        fail: reject,
        start(thread) {
          const onMessage = (message: FromThread<N>): void => {
            if (message.id !== id) return;
            thread.worker.off('message', onMessage);
            if ('failure' in message) reject(fromFailure(message.failure));
            else resolve(message.output);
            done(thread, job);
          };
          thread.worker.on('message', onMessage);
          thread.worker.postMessage({ id, name, input });
          signal?.addEventListener('abort', () => thread.worker.postMessage({ id, name: 'cancel' }), { once: true });
        },
      };
      queue.push(job);
      dispatch();
    });
  }

  return {
    run,
    async close() {
      const ending = [...threads];
      const closed = new AppError('internal_error', 'The program is ending.');
      for (const job of queue.splice(0)) job.fail(closed);
      threads.clear();
      for (const job of ending.flatMap(({ jobs }) => [...jobs])) job.fail(closed);
      await Promise.all(ending.map(({ worker }) => worker.terminate()));
    },
  };
}
