import type { App } from '../app.ts';
import type { Waited } from '../model/contract/status.ts';
import { isFinal, type Progress } from '../model/scan.ts';
import type { Session } from './session.ts';
import { progressBar, progressText } from './render/progress.ts';
import { WAITS_FOR } from './render/scan-report.ts';

/** Longest single wait; the use case's own bound is 50 s. */
const WAIT_SECONDS = 10;
const REDRAW_MS = 250;

/** Follows a scan until it ends or `signal` aborts, drawing a bar on a terminal and plain lines elsewhere. */
export async function followProgress(session: Session, app: App, scanId: string, signal: AbortSignal): Promise<Waited> {
  const view = session.terminal.isLive ? liveView(session) : plainView(session);
  try {
    for (;;) {
      const input = { scan_id: scanId, wait_seconds: WAIT_SECONDS };
      const waited = await app.scans.wait(input, session.ask(signal), view.progress);
      if (isFinal(waited.state) || signal.aborted) return waited;
      view.waiting(waited);
    }
  } finally {
    view.end();
  }
}

interface View {
  readonly progress: (progress: Progress) => void;
  /** Called now and then with the state, which says what an unstarted scan waits for. */
  waiting(waited: Waited): void;
  end(): void;
}

function liveView({ terminal }: Session): View {
  const startedAt = performance.now();
  let newest: Progress | undefined;
  let waiting = 'starting';
  const draw = (): void =>
    terminal.redraw(progressBar(newest, waiting, performance.now() - startedAt, terminal.liveColumns));
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    progress(progress) {
      newest = progress;
      draw();
    },
    waiting({ waiting_for: what }) {
      waiting = what === 'none' ? 'starting' : `waits for ${WAITS_FOR[what]}`;
    },
    end() {
      clearInterval(timer);
      terminal.redraw('');
    },
  };
}

function plainView({ terminal }: Session): View {
  let last = '';
  const say = (line: string): void => {
    if (line !== last) terminal.note(line);
    last = line;
  };
  return {
    progress: (progress) => say(progressText(progress)),
    waiting({ waiting_for: what }) {
      if (what !== 'none') say(`waits for ${WAITS_FOR[what]}`);
    },
    end: () => undefined,
  };
}
