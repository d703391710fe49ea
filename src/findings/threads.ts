import { Worker } from 'node:worker_threads';
import { AppError } from '../model/errors.ts';
import { watchEnd } from './end-thread.ts';
import type { JobInput, JobName, JobOutput } from './jobs.ts';
import type { OpenFilesLimits } from './open-files.ts';
import { createListSender } from './suppressions-once.ts';
import { fromFailure } from './thread-messages.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/** A thread that reads a hostile file must not take the memory of the whole process; columns are not part of this. */
const HEAP_MIB = 512;

/** One thread that answers questions about findings files. It keeps the process alive only while one is open. */
export interface ReaderThread {
  /**
   * @param signal Tells the job that nobody waits any more; it still answers.
   * @throws AppError whatever the job throws; internal_error when the thread ends before it answers
   */
  ask<N extends JobName>(name: N, input: JobInput<N>, signal: AbortSignal | undefined): Promise<JobOutput<N>>;
  end(): Promise<void>;
}

export interface ReaderThreadOptions {
  /** The compiled thread.ts. */
  readonly program: URL;
  readonly limits: OpenFilesLimits;
  /** Called once when it ended by itself, before its open questions fail. */
  readonly onDeath: (why: string) => void;
}

function startWorker(program: URL, limits: OpenFilesLimits): Worker {
  const worker = new Worker(program, {
    workerData: limits,
    execArgv: [],
    // Standard output belongs to MCP.
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  // One listener per open question.
  worker.setMaxListeners(0);
  worker.unref();
  return worker;
}

export function startReaderThread({ program, limits, onDeath }: ReaderThreadOptions): ReaderThread {
  const worker = startWorker(program, limits);
  const open = new Set<(error: Error) => void>();
  let lastId = 0;
  let over: AppError | undefined;
  const end = (message: string): void => {
    over = new AppError('internal_error', message);
    for (const fail of open) fail(over);
  };
  const died = (why: string): void => {
    if (over !== undefined) return;
    onDeath(why);
    end('The thread that read the findings ended.');
  };
  worker.on('error', (error) => died(error.message));
  worker.on('exit', (code) => died(`exit code ${code}`));
  const post = (message: ToThread): void => worker.postMessage(message);
  const endThread = watchEnd(worker, () => post({ name: 'end' }));
  const light = createListSender(post);

  function ask<N extends JobName>(name: N, input: JobInput<N>, signal?: AbortSignal): Promise<JobOutput<N>> {
    // Between being chosen and being asked a thread may have ended.
    if (over !== undefined) return Promise.reject(over);
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      const cancel = (): void => post({ id, name: 'cancel' });
      const settled = (): void => {
        worker.off('message', onMessage);
        signal?.removeEventListener('abort', cancel);
        open.delete(fail);
        if (open.size === 0) worker.unref();
      };
      const fail = (error: Error): void => {
        settled();
        reject(error);
      };
      const onMessage = (message: FromThread<N>): void => {
        if (message.id !== id) return;
        if ('failure' in message) return fail(fromFailure(message.failure));
        settled();
        resolve(message.output);
      };
      open.add(fail);
      worker.on('message', onMessage);
      worker.ref();
      worker.postMessage({ id, name, input: light(input) });
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  return {
    ask,
    async end() {
      end('The program is ending.');
      await endThread();
    },
  };
}
