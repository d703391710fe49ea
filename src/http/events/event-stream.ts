import type { ScanEvent } from '../../queue/queue.ts';
import { frameOf, type Frame } from './sse-frame.ts';

/** The other end of one stream. */
export interface Reader {
  /** False when as much waits to be sent as may: nothing more until it has drained. */
  write(bytes: Buffer): boolean;
  /** Resolves when the reader has taken all there was, rejects when it has gone. */
  drained(): Promise<void>;
  /** Everything was said. */
  end(): void;
  /** It may come back with the last id it saw. */
  drop(): void;
}

export interface EventStream {
  readonly take: (frames: readonly Frame[]) => void;
  /** Sends what comes after `seq` up to now, then lets `take` go on. */
  begin(seq: number): void;
}

interface Deps {
  readonly reader: Reader;
  /** Of the feed that calls `take`. */
  readonly newestSeq: () => number;
  readonly eventsAfter: (seq: number, limit: number) => Promise<readonly ScanEvent[]>;
  /** Called when the log could not be read and the reader was dropped. */
  readonly onFailure: (error: unknown) => void;
}

const MAX_PAGE = 100;

/**
 * One reader's place in the log of one scan: each event once, in order. Who reads quickly gets events as they come; who
 * is behind gets them from the log, as many at a time as may wait for one reader.
 */
export function createEventStream({ reader, newestSeq, eventsAfter, onFailure }: Deps): EventStream {
  let seq = 0;
  let last: Frame | undefined;
  // While it reads from the log, what comes live is left there.
  let isLive = false;
  let isGone = false;
  // No more is read at a time than about fits: events may be large, and what does not fit is read again.
  let page = 1;

  /** False when the reader has to drain before the rest. */
  const send = (frames: readonly Frame[]): boolean => {
    for (const frame of frames) {
      const fits = reader.write(frame.bytes);
      ({ seq } = frame);
      last = frame;
      if (!fits) return false;
    }
    return true;
  };

  const drained = (): Promise<void> =>
    reader.drained().catch(() => {
      isGone = true;
    });

  const catchUp = async (): Promise<void> => {
    while (seq < newestSeq() && !isGone) {
      const frames = (await eventsAfter(seq, page)).map(frameOf);
      if (frames.length === 0) break; // the log was removed meanwhile
      const before = seq;
      const isAll = send(frames);
      page = Math.min(MAX_PAGE, Math.max(1, seq - before) * 2);
      if (!isAll) await drained();
    }
    isLive = !isGone;
    if (isLive && last?.isFinal) reader.end();
  };

  const goOn = (work: Promise<void>): void => {
    work.catch((error: unknown) => {
      onFailure(error);
      reader.drop();
    });
  };

  return {
    take(frames) {
      if (!isLive) return;
      isLive = send(frames);
      if (!isLive) goOn(drained().then(catchUp));
      else if (last?.isFinal) reader.end();
    },
    begin(from) {
      seq = from;
      goOn(catchUp());
    },
  };
}
