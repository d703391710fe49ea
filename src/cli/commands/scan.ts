import type { App } from '../../app.ts';
import type { z } from 'zod';
import { RunUntrustedInput } from '../../model/contract/run.ts';
import { isFinal } from '../../model/scan.ts';
import type { Waited } from '../../model/contract/status.ts';
import { exitCode, exitOfScan } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import type { Session } from '../session.ts';
import { followProgress } from '../follow.ts';
import { printResults } from './results.ts';

export interface ScanOptions {
  readonly pool?: string;
  readonly instance?: string;
  readonly intensity?: string;
  readonly ports?: string;
  readonly templates?: readonly string[];
  readonly name?: string;
  readonly priority?: number;
  readonly maxDuration?: number;
  readonly idempotencyKey?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly json?: boolean;
}

type Input = z.infer<typeof RunUntrustedInput>;

const inputOf = (targets: readonly string[], options: ScanOptions): Input =>
  readInput(RunUntrustedInput, {
    targets,
    scanner_pool: options.pool,
    scanner_instance: options.instance,
    intensity: options.intensity,
    ports: options.ports,
    templates: options.templates,
    name: options.name,
    priority: options.priority,
    max_duration_minutes: options.maxDuration,
    idempotency_key: options.idempotencyKey,
  });

/** `scanmux scan`: queues a scan, shows how it goes and what it found. */
export async function scan(session: Session, targets: readonly string[], options: ScanOptions): Promise<number> {
  const input = inputOf(targets, options);
  return session.withApp((app) => submitAndFollow(session, app, input, options));
}

async function submitAndFollow(session: Session, app: App, input: Input, options: ScanOptions): Promise<number> {
  const { terminal } = session;
  const submitted = await app.scans.submit(input, session.ask());
  const { scan_id: id, deduplicated, state } = submitted;
  const isTold = options.json !== true;
  if (isTold) terminal.note(`Scan ${id} ${deduplicated ? `was already asked for and is ${state}` : `is ${state}`}.`);
  if (!options.wait) {
    if (!isTold) terminal.out(JSON.stringify(submitted, undefined, 2));
    else terminal.out(`Look at it with: scanmux status ${id}`);
    return exitCode('ok');
  }
  const ended = await untilEnded(session, app, id);
  if (!isFinal(ended.state)) {
    terminal.note(`The scan goes on. Look at it with: scanmux status ${id}   End it with: scanmux cancel ${id}`);
    return exitCode('interrupted');
  }
  await printResults(session, app, { scan_id: id }, { json: options.json === true, all: false });
  return exitCode(exitOfScan(ended));
}

/** Resolves when the scan has ended or Ctrl-C was pressed; a second Ctrl-C ends the program at once. */
async function untilEnded(session: Session, app: App, scanId: string): Promise<Waited> {
  const interrupted = new AbortController();
  const onInterrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(exitCode('interrupted'));
    interrupted.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await followProgress(session, app, scanId, interrupted.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
