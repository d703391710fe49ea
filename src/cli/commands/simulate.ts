import { AppError } from '../../model/errors.ts';
import { readScenario } from '../../simulators/nessus/scenario-file.ts';
import { Scenario, type Edition } from '../../simulators/nessus/scenario.ts';
import { SimulatorError } from '../../simulators/nessus/simulator-error.ts';
import { startNessusSimulator, type NessusSimulator } from '../../simulators/nessus/simulator.ts';
import { exitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { onStopSignals } from '../stop-signals.ts';

export interface SimulateOptions {
  readonly scenario?: string;
  readonly edition?: Edition;
  readonly port: number;
  readonly http?: boolean;
  readonly ca?: string;
  readonly journal?: string;
  readonly state?: string;
  readonly json?: boolean;
}

/** `scanmux simulate nessus`: runs until the first SIGTERM or SIGINT. */
export async function simulateNessus({ terminal }: Session, options: SimulateOptions): Promise<number> {
  const simulator = await started(options);
  terminal.out(options.json ? JSON.stringify(asJson(simulator)) : asText(simulator, options));
  await new Promise<void>((resolve) => {
    const off = onStopSignals(() => {
      off();
      resolve();
    });
  });
  await simulator.close();
  return exitCode('ok');
}

/** @throws AppError config_invalid for a scenario or a file that cannot be used, or a port that is taken */
async function started(options: SimulateOptions): Promise<NessusSimulator> {
  try {
    const scenario = options.scenario === undefined ? Scenario.parse({}) : readScenario(options.scenario);
    return await startNessusSimulator({
      scenario: { ...scenario, ...(options.edition ? { edition: options.edition } : {}) },
      port: options.port,
      http: options.http === true,
      ...(options.ca === undefined ? {} : { caFile: options.ca }),
      ...(options.journal === undefined ? {} : { journalFile: options.journal }),
      ...(options.state === undefined ? {} : { stateFile: options.state }),
    });
  } catch (error) {
    throw new AppError('config_invalid', reasonOf(error, options), { cause: error });
  }
}

/** @throws the error itself when it is a defect */
function reasonOf(error: unknown, { port }: SimulateOptions): string {
  if (error instanceof SimulatorError) return error.message;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  if (error.code === 'ERR_SOCKET_BAD_PORT') return '--port must be at most 65535.';
  if (error.code === 'EADDRINUSE') return `Port ${port} is in use; --port 0 takes any free one.`;
  return error.message;
}

const asJson = ({ url, certificate, auth }: NessusSimulator): Record<string, unknown> => ({
  url,
  access_key: auth.accessKey,
  secret_key: auth.secretKey,
  username: auth.username,
  password: auth.password,
  tls_fingerprint: certificate?.fingerprint ?? null,
});

/** With what stands in scanners.yaml for it. */
function asText({ url, certificate, auth }: NessusSimulator, { ca }: SimulateOptions): string {
  const trust = certificate
    ? ca === undefined
      ? `    tls_fingerprint: ${certificate.fingerprint}\n`
      : `    ca_file: ${ca}\n`
    : '';
  return `A simulated Nessus answers at ${url}. It scans nothing. Ctrl-C ends it.

In scanners.yaml:

nessus:
  - instance_id: simulated
    url: ${url}
    access_key: ${auth.accessKey}
    secret_key: ${auth.secretKey}
${trust}
Or with username: ${auth.username} and password: ${auth.password} instead of the keys.
What it was asked: ${url}/simulator/journal`;
}
