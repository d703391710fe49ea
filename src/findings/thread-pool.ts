import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import type { JobRunner } from './job-runner.ts';
import type { JobName } from './jobs.ts';
import type { OpenFilesLimits } from './open-files.ts';
import { startReaderThread } from './threads.ts';
import type { ReaderThread } from './threads.ts';

/**
 * Jobs that take long but give others their turn (they await something every few milliseconds): a thread that runs one
 * still counts as free.
 */
const COOPERATIVE: ReadonlySet<JobName> = new Set<JobName>(['export']);

export interface ThreadPoolOptions {
  readonly count: number;
  /** Of all threads together. */
  readonly limits: OpenFilesLimits;
  readonly log: Log;
  readonly program?: URL;
}

interface Seat {
  readonly thread: ReaderThread;
  /** Files it was asked about; the last few, as it closes files too. */
  readonly files: Set<string>;
  /** Questions under way, and whether one of them has the thread to itself. */
  asked: number;
  isTaken: boolean;
}

interface Waiting {
  readonly file: string;
  readonly isCooperative: boolean;
  readonly take: (seat: Seat) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Reader threads, started when they are first needed. A question goes to the thread that has its file open while that
 * one is free, else to another: no answer waits behind another, and columns are mostly loaded once.
 */
export function createThreadPool({ count, limits, log, program }: ThreadPoolOptions): JobRunner {
  const seats = new Set<Seat>();
  const queue: Waiting[] = [];

  const startThread = (): Seat => {
    const thread = startReaderThread({
      program: program ?? new URL('./thread.js', import.meta.url),
      limits: { ...limits, maxColumnBytes: Math.floor(limits.maxColumnBytes / count) },
      onDeath(why) {
        seats.delete(seat);
        log.error({ why, questions: seat.asked }, 'A thread that reads findings ended.');
      },
    });
    const seat: Seat = { thread, files: new Set(), asked: 0, isTaken: false };
    seats.add(seat);
    return seat;
  };
  const seatFor = ({ file, isCooperative }: Waiting): Seat | undefined => {
    const free = [...seats].filter(({ isTaken }) => isCooperative || !isTaken).toSorted((a, b) => a.asked - b.asked);
    const known = free.find(({ files }) => files.has(file));
    if (known) return known;
    return free[0]?.asked === 0 || seats.size >= count ? free[0] : startThread();
  };
  const dispatch = (): void => {
    for (const waiting of queue.splice(0)) {
      const seat = seatFor(waiting);
      if (seat) occupy(seat, waiting, limits.maxOpenFiles);
      else queue.push(waiting);
    }
  };
  const seatOf = (file: string, isCooperative: boolean): Promise<Seat> =>
    new Promise((take, fail) => {
      queue.push({ file, isCooperative, take, fail });
      dispatch();
    });

  return {
    async run(name, input, { file, signal }) {
      const isCooperative = COOPERATIVE.has(name);
      const seat = await seatOf(file, isCooperative);
      try {
        return await seat.thread.ask(name, input, signal);
      } finally {
        seat.asked -= 1;
        if (!isCooperative) seat.isTaken = false;
        dispatch();
      }
    },
    async close() {
      const ending = [...seats];
      seats.clear();
      for (const { fail } of queue.splice(0)) fail(new AppError('internal_error', 'The program is ending.'));
      await Promise.all(ending.map(({ thread }) => thread.end()));
    },
  };
}

function occupy(seat: Seat, { file, isCooperative, take }: Waiting, remembered: number): void {
  seat.asked += 1;
  if (!isCooperative) seat.isTaken = true;
  seat.files.delete(file);
  seat.files.add(file);
  const [oldest] = seat.files;
  if (seat.files.size > remembered && oldest !== undefined) seat.files.delete(oldest);
  take(seat);
}
