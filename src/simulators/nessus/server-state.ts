import type { Clock } from './clock.ts';
import type { Faults } from './fault.ts';
import type { Scenario } from './scenario.ts';
import type { Sessions } from './sessions.ts';
import type { State } from './state.ts';

/** One export that was asked for. */
export interface ExportJob {
  readonly scanId: number;
  readonly historyId: number;
  readonly file: string;
  readonly token: string;
  readonly createdAt: number;
  pollsLeft: number;
}

/** All that the simulated Nessus has while it runs. */
export interface Server {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly state: State;
  readonly sessions: Sessions;
  readonly faults: Faults;
  /** By `file` and by token. They do not outlive a restart. */
  readonly exports: Map<string, ExportJob>;
  /** Requests that hang: calling one lets it go on. */
  readonly held: Set<() => void>;
  /** Requests being answered now. */
  inFlight: number;
  /** Epoch milliseconds of the simulated clock, until which it is starting. */
  readyAt: number;
  bootedAt: number;
}
