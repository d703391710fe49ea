import type { App } from '../../app.ts';
import type { z } from 'zod';
import { PlanInput } from '../../model/contract/run.ts';
import { isFinal } from '../../model/scan.ts';
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
  readonly credential?: string;
  readonly privilege?: string;
  readonly name?: string;
  readonly priority?: number;
  readonly maxDuration?: number;
  readonly idempotencyKey?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly json?: boolean;
}

type Input = z.infer<typeof PlanInput>;

const inputOf = (targets: readonly string[], options: ScanOptions): Input =>
  readInput(PlanInput, {
    targets,
    scanner_pool: options.pool,
    scanner_instance: options.instance,
    intensity: options.intensity,
    ports: options.ports,
    templates: options.templates,
    credential_ref: options.credential,
    privilege: options.privilege,
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
  const interrupt = onInterrupt();
  try {
    const submitted = await submit(session, app, input, interrupt.signal);
    const { scan_id: id, deduplicated, state } = submitted;
    const { terminal } = session;
    if (!options.wait) {
      const told = `Scan ${id} is ${state}. Look at it with: scanmux status ${id}`;
      terminal.out(options.json === true ? JSON.stringify(submitted, undefined, 2) : told);
      return exitCode('ok');
    }
    terminal.note(`Scan ${id} ${deduplicated ? `was already asked for and is ${state}` : `is ${state}`}.`);
    const ended = await followProgress(session, app, id, interrupt.signal);
    if (!ended || !isFinal(ended.state)) {
      terminal.note(`The scan goes on. Look at it with: scanmux status ${id}   End it with: scanmux cancel ${id}`);
      return exitCode('interrupted');
    }
    // Nothing is left that goes on without us: from here Ctrl-C simply ends.
    interrupt.off();
    await printResults(session, app, { scan_id: id }, { json: options.json === true, all: false });
    return exitCode(exitOfScan(ended));
  } finally {
    interrupt.off();
  }
}

/** An interrupt cannot take back what may be accepted already: it waits for the answer, which says how to come back. */
async function submit({ terminal, ask }: Session, app: App, input: Input, interrupted: AbortSignal) {
  const tell = (): void => terminal.note('The scan is just being accepted; Ctrl-C again ends at once.');
  interrupted.addEventListener('abort', tell);
  try {
    return await app.scans.submit(input, ask());
  } finally {
    interrupted.removeEventListener('abort', tell);
  }
}

/** Aborts at the first Ctrl-C; a second one ends the program at once. Listens from before the scan is accepted. */
function onInterrupt(): { signal: AbortSignal; off: () => void } {
  const interrupted = new AbortController();
  const heard = (): void => {
    if (interrupted.signal.aborted) process.exit(exitCode('interrupted'));
    interrupted.abort();
  };
  process.on('SIGINT', heard);
  return { signal: interrupted.signal, off: () => void process.off('SIGINT', heard) };
}
