import { z } from 'zod';
import { Fault, type FaultInput } from './fault.ts';
import { addPresentScan, launch, order, remove, scanOf } from './operations.ts';
import { PresentScan, PersonsDeed, type PresentScanInput } from './scenario.ts';
import type { Server } from './server-state.ts';
import { shownStatus } from './shown-scan.ts';
import type { CredentialRecord, Upload } from './state.ts';

/** What the simulator knows of one scan. */
export interface SimulatedScan {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  readonly origin: 'api' | 'foreign';
  readonly folderId: number;
  readonly status: string;
  readonly targets: string;
  readonly credentials: readonly CredentialRecord[];
  /** Oldest first. */
  readonly launches: readonly { readonly historyId: number; readonly uuid: string; readonly status: string }[];
}

/** What a test, or the person at the terminal, does behind the back of the client. */
export interface SimulatorControl {
  /** Epoch milliseconds of the simulated clock. */
  now(): number;
  /** Only with a manual clock. @throws RangeError otherwise */
  advance(ms: number): void;
  scans(): SimulatedScan[];
  /** With a hash of the content, and when the last scan that used it let go of it. */
  uploads(): readonly Upload[];
  openSessions(): number;
  /** Requests under way, those that hang among them. */
  inFlight(): number;
  /** A scan the API did not make. @returns its id */
  addScan(scan: PresentScanInput): number;
  rename(id: number, name: string): void;
  /** Launches a scan as a person does, whatever the edition. @returns the uuid of the run */
  launch(id: number): string;
  /** Does to a scan what a person can. @throws Error when its state does not allow it */
  does(deed: PersonsDeed, id: number): void;
  /** Nessus starts anew: running scans are aborted, sessions and exports gone, 503 for `bootMs`. */
  restart(bootMs?: number): void;
  expireSessions(): void;
  addFault(fault: FaultInput): void;
  clearFaults(): void;
  /** Lets every request that hangs go on. */
  release(): void;
}

export function createControl(server: Server, advance: (ms: number) => void): SimulatorControl {
  const { state, clock } = server;
  return {
    now: () => clock.now(),
    advance,
    scans: () =>
      state.scans.map(({ id, name, description, owner, origin, folderId, targets, credentials, runs }) => ({
        id,
        name,
        description,
        owner,
        origin,
        folderId,
        targets,
        credentials,
        status: shownStatus(runs.at(-1), clock.now()),
        launches: runs.map((run) => ({
          historyId: run.historyId,
          uuid: run.uuid,
          status: shownStatus(run, clock.now()),
        })),
      })),
    uploads: () => state.uploads,
    openSessions: () => server.sessions.size,
    inFlight: () => server.inFlight,
    addScan: (scan) => addPresentScan(server, PresentScan.parse(scan)),
    rename: (id, name) => state.put({ ...scanOf(server, id), name }),
    launch: (id) => launch(server, id),
    does: (deed, id) => (deed === 'delete' ? remove(server, id, true) : order(server, id, deed)),
    restart: (bootMs = 0) => {
      state.abortAll();
      server.sessions.endAll();
      server.exports.clear();
      server.bootedAt = clock.now();
      server.readyAt = clock.now() + bootMs;
    },
    expireSessions: () => server.sessions.endAll(),
    addFault: (fault) => server.faults.add(Fault.parse(fault)),
    clearFaults: () => server.faults.clear(),
    release: () => {
      for (const goOn of server.held) goOn();
    },
  };
}

/** A command of `POST /simulator/control`. */
export const Command = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('advance'), ms: z.number().min(0) }),
  z.strictObject({ do: z.literal('add_scan'), scan: PresentScan }),
  z.strictObject({ do: z.literal('rename'), id: z.int(), name: z.string() }),
  z.strictObject({ do: z.literal('launch'), id: z.int() }),
  z.strictObject({ do: PersonsDeed, id: z.int() }),
  z.strictObject({ do: z.literal('restart'), boot_ms: z.number().min(0).default(0) }),
  z.strictObject({ do: z.literal('expire_sessions') }),
  z.strictObject({ do: z.literal('add_fault'), fault: Fault }),
  z.strictObject({ do: z.literal('clear_faults') }),
  z.strictObject({ do: z.literal('release') }),
]);
export type Command = z.infer<typeof Command>;

/** @returns what is worth telling, e.g. the id of a new scan */
export function perform(control: SimulatorControl, command: Command): unknown {
  switch (command.do) {
    case 'advance':
      return control.advance(command.ms);
    case 'add_scan':
      return { id: control.addScan(command.scan) };
    case 'rename':
      return control.rename(command.id, command.name);
    case 'launch':
      return { scan_uuid: control.launch(command.id) };
    case 'restart':
      return control.restart(command.boot_ms);
    case 'expire_sessions':
      return control.expireSessions();
    case 'add_fault':
      return control.addFault(command.fault);
    case 'clear_faults':
      return control.clearFaults();
    case 'release':
      return control.release();
    default:
      return control.does(command.do, command.id);
  }
}
