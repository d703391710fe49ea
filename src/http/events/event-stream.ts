import type { ScanEvent } from '../../queue/queue.ts';
import { frameOf, type Frame } from './sse-frame.ts';

/** The other end of one stream. */
export interface Reader {
  /** False when more waits to be sent than a reader may leave lying. */
  write(bytes: Buffer): boolean;
  /** Resolves when the reader has taken all there was, rejects when it has gone. */
  drained(): Promise<void>;
  /** Everything was said. */
  end(): void;
  /** It does not read. It may come back with the last id it saw. */
  drop(): void;
}

export interface EventStream {
  readonly take: (frames: readonly Frame[]) => void;
  /**
   * Sends what comes after `seq` up to now, then lets `take` go on.
   * @throws AppError queue_unavailable
   */
  begin(seq: number): Promise<void>;
}

interface Deps {
  readonly reader: Reader;
  /** Of the feed that calls `take`. */
  readonly newestSeq: () => number;
  readonly eventsAfter: (seq: number, limit: number) => Promise<readonly ScanEvent[]>;
}

/** Few enough to fit what may wait for a reader. */
const PAGE = 50;

/** One reader's place in the log of one scan: each event once, in order, whether it is read late or comes live. */
export function createEventStream({ reader, newestSeq, eventsAfter }: Deps): EventStream {
  let seq = 0;
  // Until the past has been sent, what comes live is left in the log, to be read from there.
  let isLive = false;

  const send = (frames: readonly Frame[]): boolean => {
    for (const frame of frames) {
      const fits = reader.write(frame.bytes);
      ({ seq } = frame);
      if (!fits) return false;
    }
    return true;
  };

  return {
    take(frames) {
      if (!isLive) return;
      const last = frames.at(-1);
      if (!send(frames)) reader.drop();
      else if (last?.isFinal) reader.end();
    },
    async begin(from) {
      seq = from;
      let last: Frame | undefined;
      while (seq < newestSeq()) {
        const frames = (await eventsAfter(seq, PAGE)).map(frameOf);
        last = frames.at(-1);
        if (!last) break; // the log was removed meanwhile
        if (!send(frames)) await reader.drained();
      }
      isLive = true;
      if (last?.isFinal) reader.end();
    },
  };
}
