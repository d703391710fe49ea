import { Worker } from 'node:worker_threads';
import { AppError } from '../model/errors.ts';
import { watchEnd } from './end-thread.ts';
import type { Gathered, NewFiles } from './gather.ts';
import { memoryOf } from './packed-findings.ts';
import type { BatchMemory, FindingBatch } from './packed-findings.ts';
import { fromFailure } from './thread-messages.ts';
import type { Failure } from './thread-messages.ts';

export type ToGatherThread =
  | { readonly kind: 'batch'; readonly batch: FindingBatch }
  | { readonly kind: 'finish' }
  /** Nobody wants the files any more. */
  | { readonly kind: 'leave' };

export type FromGatherThread =
  | { readonly kind: 'taken'; readonly memory: BatchMemory }
  | { readonly kind: 'gathered'; readonly gathered: Gathered }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A thread that writes the findings of one report while this one reads them. */
export interface GatherThread {
  take(batch: FindingBatch): void;
  /**
   * A promise when the thread is behind: wait for it before the next batch.
   * @throws AppError storage_full, storage_unusable; internal_error when the thread ended by itself
   */
  room(): Promise<void> | undefined;
  /** @throws as `room` */
  finish(): Promise<Gathered>;
  end(): Promise<void>;
}

/** The memory of the whole process is not its own to fill. */
const HEAP_MIB = 96;
/** A large one is never emptied at this pace: it would only be memory. */
const YOUNG_MIB = 8;
/** Batches that may be on their way until the thread has started: enough for what is read meanwhile. */
const MOST_AT_FIRST = 32;
/** And then: some 50 milliseconds of work, in 5 MB. */
const MOST_OPEN = 14;
/** Reading goes on when there are fewer than this, before the thread has nothing to do. */
const FEW_OPEN = 10;

/**
 * @param program The compiled gather-thread.ts.
 * @param reuse Gets back the memory of each batch that was written.
 */
export function startGatherThread(
  program: URL,
  files: NewFiles,
  reuse: (memory: BatchMemory) => void = () => undefined,
): GatherThread {
  const worker = new Worker(program, {
    workerData: files,
    execArgv: [],
    // Standard output belongs to MCP.
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB },
  });
  let open = 0;
  let most = MOST_AT_FIRST;
  let failure: Error | undefined;
  let gathered: Gathered | undefined;
  let isFinishing = false;
  let waiter: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  /** Only one waits at a time: whoever reads the report. */
  const wait = (): Promise<void> => new Promise((resolve, reject) => void (waiter = { resolve, reject }));
  const fail = (error: Error): void => {
    failure ??= error;
    waiter?.reject(failure);
  };
  worker.on('message', (message: FromGatherThread) => {
    if (message.kind === 'failed') return fail(fromFailure(message.failure));
    if (message.kind === 'gathered') gathered = message.gathered;
    else {
      open -= 1;
      most = MOST_OPEN;
      reuse(message.memory);
    }
    if (isFinishing ? gathered !== undefined : open < FEW_OPEN) waiter?.resolve();
  });
  const died = (why: string): void =>
    fail(new AppError('internal_error', `The thread that wrote the findings ended: ${why}`));
  worker.on('error', (error) => died(error.message));
  worker.on('exit', (code) => died(`exit code ${code}.`));
  const post = (message: ToGatherThread): void => worker.postMessage(message);
  const endThread = watchEnd(worker, () => post({ kind: 'leave' }));
  return {
    take(batch) {
      open += 1;
      // Moved, not copied.
      worker.postMessage({ kind: 'batch', batch } satisfies ToGatherThread, Object.values(memoryOf(batch)));
    },
    room() {
      if (failure) throw failure;
      return open < most ? undefined : wait();
    },
    async finish() {
      if (failure) throw failure;
      isFinishing = true;
      post({ kind: 'finish' });
      await wait();
      if (!gathered) throw new Error('The thread said that it was done, but not what it did.');
      return gathered;
    },
    end: endThread,
  };
}
