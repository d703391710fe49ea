import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ReportLine } from './report.ts';

/** Writes the report while it comes about, no faster than it is taken away. */
export interface Journal {
  /** Resolves when there is room for more. @throws what broke the stream, or the reason of the signal */
  write(line: ReportLine): Promise<void>;
  /** Ends the report and waits until it is taken. */
  end(): Promise<void>;
  /** Adds last lines and ends without waiting: for a run that was stopped. */
  cutShort(lines: readonly ReportLine[]): void;
}

export function createJournal(report: Writable, signal: AbortSignal): Journal {
  let broken: Error | undefined;
  report.on('error', (error) => (broken = error));

  let waiting: Promise<void> | undefined;
  /** All who wait wait for the same thing. */
  const room = (): Promise<void> => (waiting ??= roomOnce().finally(() => (waiting = undefined)));
  const roomOnce = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (): void => {
        report.off('drain', settle);
        report.off('close', settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(signal.reason);
        else if (broken ?? report.destroyed) reject(broken ?? new Error('the report was closed'));
        else resolve();
      };
      // Whatever ends the wait may have happened inside the write that made it necessary.
      if (signal.aborted || broken !== undefined || report.destroyed) return settle();
      report.once('drain', settle);
      report.once('close', settle);
      signal.addEventListener('abort', settle, { once: true });
    });

  const text = (line: ReportLine): string => `${JSON.stringify(line)}\n`;

  return {
    async write(line) {
      signal.throwIfAborted();
      if (broken) throw broken;
      if (!report.write(text(line)) && report.writableNeedDrain) await room();
    },
    async end() {
      report.end();
      await finished(report, { signal, readable: false });
    },
    cutShort(lines) {
      if (report.destroyed || report.writableEnded) return;
      for (const line of lines) report.write(text(line));
      report.end();
    },
  };
}
