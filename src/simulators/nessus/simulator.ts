import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createCertificate, type Certificate } from './certificate.ts';
import { createManualClock, createRunningClock, type ManualClock } from './clock.ts';
import { createControl, type SimulatorControl } from './control.ts';
import { createControlRoutes } from './control-routes.ts';
import { Faults } from './fault.ts';
import { createApi } from './http-server.ts';
import { Journal } from './journal.ts';
import { addPresentScan } from './operations.ts';
import { parseScenario, type Scenario, type ScenarioInput } from './scenario.ts';
import type { Server } from './server-state.ts';
import { Sessions } from './sessions.ts';
import { openStateFile, readStateFile } from './state-file.ts';
import { NOTHING, State } from './state.ts';

export interface NessusSimulatorOptions {
  /** As in a scenario file. */
  readonly scenario?: ScenarioInput;
  /** 0 takes any free one. */
  readonly port?: number;
  /** Plain HTTP. */
  readonly http?: boolean;
  /** The clock stands still until `control.advance`. Otherwise it runs, `speed` times as fast as the real one. */
  readonly manualClock?: boolean;
  /** Folders, scans and uploads outlive the process in it; the certificate lies beside it. */
  readonly stateFile?: string;
  /** JSON lines, appended to. */
  readonly journalFile?: string;
  /** Written at the start: the certificate in PEM, for a client's `ca_file`. */
  readonly caFile?: string;
}

export interface NessusSimulator {
  /** `https://127.0.0.1:<port>`, without a slash at its end. */
  readonly url: string;
  /** PEM to trust, and its SHA-256 in hex; undefined over plain HTTP. */
  readonly certificate: Pick<Certificate, 'certificate' | 'fingerprint'> | undefined;
  readonly auth: {
    readonly accessKey: string;
    readonly secretKey: string;
    readonly username: string;
    readonly password: string;
  };
  readonly journal: Journal;
  readonly control: SimulatorControl;
  /** Cuts all connections. */
  close(): Promise<void>;
}

/** How exactly a restart knows when the process before was last alive, in real time. */
const ALIVE_MS = 250;

/**
 * Starts a server that behaves like the REST API of Nessus, as well or as badly as the scenario says. On 127.0.0.1 only.
 * @throws SimulatorError naming every wrong key
 */
export async function startNessusSimulator(options: NessusSimulatorOptions = {}): Promise<NessusSimulator> {
  const scenario = parseScenario(options.scenario ?? {});
  const stop = new AbortController();
  const { server, advance } = createServer(scenario, options);
  const journal = new Journal(options.journalFile);
  const certificate = options.http ? undefined : certificateFor(scenario, options.stateFile);
  if (certificate && options.caFile !== undefined) writeFileSync(options.caFile, certificate.certificate);
  const control = createControl(server, advance);
  const routes = createControlRoutes(control, journal);
  const api = createApi({ server, journal, control: routes, stop: stop.signal }, certificate);
  await new Promise<void>((resolve, reject) => {
    api.once('error', reject);
    api.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = api.address();
  if (address === null || typeof address === 'string') throw new Error('the simulator has no TCP port');
  const { access_key: accessKey, secret_key: secretKey, username, password } = scenario.auth;
  const heart = options.stateFile === undefined ? undefined : setInterval(() => server.state.noteAlive(), ALIVE_MS);
  heart?.unref();
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    certificate,
    auth: { accessKey, secretKey, username, password },
    journal,
    control,
    close: () =>
      new Promise((resolve) => {
        stop.abort();
        clearInterval(heart);
        if (options.stateFile !== undefined) server.state.noteAlive();
        api.close(() => resolve());
        api.closeAllConnections();
      }),
  };
}

function createServer(
  scenario: Scenario,
  options: NessusSimulatorOptions,
): { server: Server; advance: (ms: number) => void } {
  const before = options.stateFile === undefined ? undefined : readStateFile(options.stateFile);
  const start = Math.max(Date.now(), before?.now ?? 0);
  const manual = options.manualClock ? createManualClock(start) : undefined;
  const clock = manual ?? createRunningClock(scenario.speed, start);
  const file = options.stateFile === undefined ? undefined : openStateFile(options.stateFile);
  const server: Server = {
    scenario,
    clock,
    state: new State(clock, before?.kept ?? { ...NOTHING, lastId: scenario.seed * 17 }, file),
    sessions: new Sessions(scenario.auth, clock),
    faults: new Faults(),
    exports: new Map(),
    held: new Set(),
    inFlight: 0,
    bootedAt: clock.now(),
    readyAt: clock.now() + scenario.boot_ms,
  };
  for (const fault of scenario.faults) server.faults.add(fault);
  if (before) server.state.abortAll(before.now);
  else furnish(server);
  return { server, advance: advancing(manual) };
}

/** Folders have ids that depend on the seed alone, and are not 2 and 3. */
function furnish(server: Server): void {
  const { state, scenario } = server;
  state.putFolder({ id: state.nextId(), name: 'Trash', type: 'trash' });
  state.putFolder({ id: state.nextId(), name: 'My Scans', type: 'main' });
  for (const name of scenario.folders) state.putFolder({ id: state.nextId(), name, type: 'custom' });
  for (const scan of scenario.scans) addPresentScan(server, scan);
}

const advancing =
  (manual: ManualClock | undefined) =>
  (ms: number): void => {
    if (!manual) throw new RangeError('the clock runs by itself');
    manual.advance(ms);
  };

/** One that is kept with the state stays the same over a restart, so that a pinned client still trusts it. */
function certificateFor({ certificate: flaw }: Scenario, stateFile: string | undefined): Certificate {
  const made = (): Certificate => createCertificate(flaw, Date.now());
  if (stateFile === undefined) return made();
  const path = `${stateFile}.certificate.json`;
  if (!existsSync(path)) writeFileSync(path, JSON.stringify(made()), { mode: 0o600 });
  const kept: Certificate = JSON.parse(readFileSync(path, 'utf8'));
  return kept;
}
