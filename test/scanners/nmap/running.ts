import { createServer, type AddressInfo, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newScanId, newTraceId } from '../../../src/model/ids.ts';
import type { ScanRequest } from '../../../src/model/scan.ts';
import type { PinnedTarget } from '../../../src/model/target.ts';
import { nmapType } from '../../../src/scanners/nmap/nmap.ts';
import type { Checkpoint, EngineProgress, RawReport, RunContext, ScanJob } from '../../../src/scanners/scanner.ts';

export const place = (address: string, port: number): PinnedTarget => ({
  target: { kind: 'address', text: `${address} ${port}`, address, port },
  addresses: [address],
});

export function jobFor(
  targets: readonly PinnedTarget[],
  fields: Partial<ScanRequest> = {},
  scanId = newScanId(),
): ScanJob {
  const request: ScanRequest = {
    access: 'untrusted',
    targets: targets.map(({ target }) => target.text),
    pool: 'nmap',
    intensity: 'light',
    priority: 5,
    max_duration_minutes: 10,
    ...fields,
  };
  return { scanId, traceId: newTraceId(), epoch: 1, request, targets };
}

export interface Attempt {
  readonly result: Promise<RawReport>;
  readonly report: Promise<Buffer>;
  readonly checkpoints: Checkpoint[];
  readonly progress: EngineProgress[];
  /** Resolves with the pid once `launched` was said this many times. */
  readonly launched: (times: number) => Promise<number>;
}

/** One attempt of the real engine; `checkpoint` may refuse by throwing. */
export function attempt(job: ScanJob, options: Partial<RunContext> = {}): Attempt {
  const sink = new PassThrough();
  const checkpoints: Checkpoint[] = [];
  const progress: EngineProgress[] = [];
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const look of waiting) look();
  };
  const when = (fits: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (fits()) resolve();
      };
      waiting.add(look);
      look();
    });
  const ctx: RunContext = {
    signal: new AbortController().signal,
    report: sink,
    previous: undefined,
    progress(step) {
      progress.push(step);
    },
    ...options,
    async checkpoint(checkpoint) {
      checkpoints.push(checkpoint);
      await options.checkpoint?.(checkpoint);
      tell();
    },
  };
  const launches = () => checkpoints.filter(({ phase }) => phase === 'launched');
  return {
    report: buffer(sink),
    result: nmapType.create({}).run(job, ctx),
    checkpoints,
    progress,
    launched: async (times) => {
      await when(() => launches().length >= times);
      return pidOf(launches()[times - 1]);
    },
  };
}

export function pidOf(checkpoint: Checkpoint | undefined): number {
  const reference: unknown = JSON.parse(checkpoint?.reference ?? '{}');
  if (typeof reference !== 'object' || reference === null || !('pid' in reference)) throw new Error('no reference');
  return Number(reference.pid);
}

export interface Service {
  readonly port: number;
  readonly firstConnection: Promise<void>;
  readonly close: () => Promise<void>;
}

/** A service on loopback; silent ones keep nmap's version detection waiting. */
export async function serve(
  address: string,
  answer = '',
  when: 'at once' | 'when asked' = 'at once',
): Promise<Service> {
  let connected = (): void => {};
  const firstConnection = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const server: Server = createServer((socket) => {
    connected();
    socket.on('error', () => {});
    if (answer && when === 'when asked') socket.once('data', () => socket.end(answer));
    else if (answer) socket.end(answer);
    else socket.resume();
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const open = new Set<{ destroy(): void }>();
  await new Promise<void>((resolve) => void server.listen(0, address, resolve));
  return {
    port: portOf(server.address()),
    firstConnection,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
