/** Why a running attempt is told to stop. It is the `reason` of the engine's abort signal. */
export type StopCause = 'cancelled' | 'timed_out' | 'lease_lost' | 'shutdown' | 'denied' | 'report_failed';

export class StopRequest extends Error {
  override readonly name = 'StopRequest';
  readonly stop: StopCause;

  constructor(cause: StopCause) {
    super(`stopped: ${cause}`);
    this.stop = cause;
  }
}

/** One attempt's stop button: the first press counts, except that a lost lease overrides everything. */
export interface StopButton {
  readonly signal: AbortSignal;
  press(cause: StopCause): void;
  cause(): StopCause | undefined;
}

export function createStopButton(): StopButton {
  const controller = new AbortController();
  let pressed: StopCause | undefined;
  return {
    signal: controller.signal,
    press(cause) {
      if (pressed === undefined || cause === 'lease_lost') pressed = cause;
      controller.abort(new StopRequest(cause));
    },
    cause: () => pressed,
  };
}
