import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Waited } from '../model/contract/status.ts';
import { AppError } from '../model/errors.ts';
import { isFinal, type Progress } from '../model/scan.ts';
import { troubleOf } from './follow-trouble.ts';
import { hintForPeople } from './errors-for-people.ts';
import type { Session } from './session.ts';
import { progressBar, progressText } from './render/progress.ts';

/** How long a scan may stand still before it is looked at, and said, why. */
const LOOK_SECONDS = 3;
const REDRAW_MS = 250;
const RETRY_MS = 1_000;
/** Failures in a row after which following ends; each may already have waited for a lock. */
const MAX_FAILURES = 20;

/**
 * Follows a scan until it ends or `signal` aborts, drawing a bar on a terminal and plain lines elsewhere. Says what holds
 * a scan up and goes on. Undefined when it was interrupted before it knew anything.
 * @throws AppError scan_not_found, and what does not pass by itself
 */
export async function followProgress(
  session: Session,
  app: App,
  scanId: string,
  signal: AbortSignal,
): Promise<Waited | undefined> {
  const view = session.terminal.isLive ? liveView(session) : plainView(session);
  try {
    for (let failures = 0; ;) {
      try {
        const input = { scan_id: scanId, wait_seconds: LOOK_SECONDS };
        const waited = await app.scans.wait(input, session.ask(signal), view.progress);
        if (isFinal(waited.state) || signal.aborted) return waited;
        view.heldUp(await troubleOf(session, app, waited));
        failures = 0;
      } catch (error) {
        failures += 1;
        if (signal.aborted) return undefined;
        if (!canPass(error) || failures >= MAX_FAILURES) throw error;
        view.heldUp(`${error.code}: ${error.message} ${hintForPeople(error.hint)} Trying again.`);
        // An interrupt ends the pause; the loop then sees it.
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  } finally {
    view.end();
  }
}

const canPass = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'queue_unavailable' || error.code === 'storage_full');

interface View {
  readonly progress: (progress: Progress) => void;
  /** Called now and then with what holds the scan up; undefined when nothing does. */
  heldUp(why: string | undefined): void;
  end(): void;
}

function liveView({ terminal }: Session): View {
  const startedAt = performance.now();
  let newest: Progress | undefined;
  let told: string | undefined;
  const draw = (): void =>
    terminal.redraw(
      progressBar(
        newest,
        told === undefined ? 'starting' : 'waiting',
        performance.now() - startedAt,
        terminal.liveColumns,
      ),
    );
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    progress(progress) {
      newest = progress;
      draw();
    },
    heldUp(why) {
      if (why !== undefined && why !== told) {
        // A line of its own above the bar: a bar has no room, and would be drawn over.
        terminal.redraw('');
        terminal.note(why);
      }
      told = why;
      draw();
    },
    end() {
      clearInterval(timer);
      terminal.redraw('');
    },
  };
}

function plainView({ terminal }: Session): View {
  let last = '';
  let told: string | undefined;
  return {
    progress(progress) {
      const line = progressText(progress);
      if (line !== last) terminal.note(line);
      last = line;
    },
    heldUp(why) {
      if (why !== undefined && why !== told) terminal.note(why);
      told = why;
    },
    end: () => undefined,
  };
}
