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

/** The log of one scan, as far as it is known here. */
export interface EventLog {
  newest(): Pick<Frame, 'seq'>;
  eventsAfter(seq: number, limit: number): Promise<readonly ScanEvent[]>;
  /** A reader had to be dropped because the log could not be read. */
  noteFailure(error: unknown): void;
}

const MAX_PAGE = 100;

/**
 * One reader's place in the log of one scan: each event once, in order. Who reads quickly gets events as they come; who
 * is behind gets them from the log, as many at a time as may wait for one reader. A class, as there are ten thousand of
 * them: functions of their own would cost each a kilobyte.
 */
export class EventStream {
  readonly #reader: Reader;
  readonly #log: EventLog;
  #last: Frame | undefined;
  #seq: number;
  /** While it reads from the log, what comes live is left there. */
  #isLive = false;
  #isGone = false;
  /** No more is read at a time than about fits: events may be large, and what does not fit is read again. */
  #page = 1;

  /** Begins to send what comes after `seq`. */
  constructor(reader: Reader, log: EventLog, seq: number) {
    this.#reader = reader;
    this.#log = log;
    this.#seq = seq;
    this.#goOn(this.#catchUp());
  }

  take(frames: readonly Frame[]): void {
    if (!this.#isLive) return;
    this.#isLive = this.#send(frames);
    if (!this.#isLive) this.#goOn(this.#drained().then(() => this.#catchUp()));
    else if (this.#last?.isFinal) this.#reader.end();
  }

  /** False when the reader has to drain before the rest. */
  #send(frames: readonly Frame[]): boolean {
    for (const frame of frames) {
      const fits = this.#reader.write(frame.bytes);
      this.#seq = frame.seq;
      this.#last = frame;
      if (!fits) return false;
    }
    return true;
  }

  async #catchUp(): Promise<void> {
    while (this.#seq < this.#log.newest().seq && !this.#isGone) {
      const frames = (await this.#log.eventsAfter(this.#seq, this.#page)).map(frameOf);
      if (frames.length === 0) break; // the log was removed meanwhile
      const before = this.#seq;
      const isAll = this.#send(frames);
      this.#page = Math.min(MAX_PAGE, Math.max(1, this.#seq - before) * 2);
      if (!isAll) await this.#drained();
    }
    this.#isLive = !this.#isGone;
    if (this.#isLive && this.#last?.isFinal) this.#reader.end();
  }

  async #drained(): Promise<void> {
    try {
      await this.#reader.drained();
    } catch {
      this.#isGone = true;
    }
  }

  #goOn(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#log.noteFailure(error);
      this.#reader.drop();
    });
  }
}
