import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../src/model/coverage.ts';
import { AppError } from '../../src/model/errors.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { ScanRequest } from '../../src/model/scan.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import type { EngineProgress, RawReport, Scanner } from '../../src/scanners/scanner.ts';
import { freePort } from '../free-port.ts';
import { HOSTILE_SERVICES, listen } from './hostile-servers.ts';

export interface ScannerHarness {
  /** The engine, able to run here. */
  readonly create: () => Scanner;
  /** The same engine where what it needs is away; leave out for an engine that needs nothing. */
  readonly createAbsent?: () => Scanner;
  /** Fields of the request that make runs short. */
  readonly request?: Partial<ScanRequest>;
  /** Reports by what is wrong with them; each must be refused. */
  readonly hostileReports: Readonly<Record<string, string | Uint8Array>>;
  /** What the engine left running, in words (process ids, ...). Asked after every aborted run. */
  readonly leftovers?: () => Promise<readonly string[]>;
  /** Its scans run on another machine: it connects to no target itself. */
  readonly runsElsewhere?: true;
}

export interface FinishedRun {
  readonly outcome: RawReport;
  readonly report: Buffer;
  readonly progress: readonly EngineProgress[];
}

/** `127.0.0.1:<port>` as the policy would pin it. */
export const loopbackPort = (port: number): PinnedTarget => ({
  target: { kind: 'address', text: `127.0.0.1:${port}`, address: '127.0.0.1', port },
  addresses: ['127.0.0.1'],
});

export function scanRequest(targets: readonly PinnedTarget[], fields: Partial<ScanRequest> = {}): ScanRequest {
  return ScanRequest.parse({
    access: 'untrusted',
    targets: targets.map(({ target }) => target.text).toSorted(),
    pool: 'contract',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 5,
    ...fields,
  });
}

export interface RunOptions {
  readonly request?: Partial<ScanRequest> | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: () => void;
}

/** Runs one attempt and keeps what it wrote and reported. */
export async function runScanner(
  scanner: Scanner,
  targets: readonly PinnedTarget[],
  { request, signal = new AbortController().signal, onProgress }: RunOptions = {},
): Promise<FinishedRun> {
  const report = new PassThrough();
  const written = buffer(report);
  const progress: EngineProgress[] = [];
  const outcome = await scanner.run(
    { scanId: newScanId(), traceId: newTraceId(), epoch: 1, request: scanRequest(targets, request), targets },
    {
      signal,
      report,
      previous: undefined,
      checkpoint: () => Promise.resolve(),
      progress: (step) => {
        progress.push(step);
        onProgress?.();
      },
    },
  );
  return { outcome, report: await written, progress };
}

/** Every event of a report, read in small pieces so that splits fall anywhere. */
export async function parseAll(scanner: Scanner, report: string | Uint8Array, pieceBytes = 61): Promise<ReportEvent[]> {
  const bytes = Buffer.from(report);
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  const events: ReportEvent[] = [];
  for await (const event of scanner.parse(Readable.from(pieces(), { objectMode: false }))) events.push(event);
  return events;
}

export const placesOf = (events: readonly ReportEvent[]): Place[] =>
  events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));

export const findingsOf = (events: readonly ReportEvent[]): ParsedFinding[] =>
  events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));

/** The promises every engine makes. Call it once per engine. */
export function describeScannerContract(name: string, harness: ScannerHarness): void {
  const { create, createAbsent, request } = harness;

  describe(`${name} keeps the scanner contract`, () => {
    it('answers a probe with a health', async () => {
      const health = await create().probe(new AbortController().signal);
      expect(health).toMatchObject({ status: 'healthy', canLaunch: true });
    });

    if (createAbsent) {
      it('answers a probe with the reason when the engine is away', async () => {
        const health = await createAbsent().probe(new AbortController().signal);
        expect(health).toMatchObject({ status: 'unhealthy', canLaunch: false, why: expect.stringMatching(/./) });
      });
    }

    it('rejects a probe with the reason of its signal', async () => {
      const reason = new Error('no longer wanted');
      await expect(create().probe(AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it('writes a report that its own parser reads to the end', async () => {
      const service = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
      try {
        const scanner = create();
        const { outcome, report } = await runScanner(scanner, [loopbackPort(service.port)], { request });
        const events = await parseAll(scanner, report);
        expect(outcome.whole).toBe(true);
        expect(placesOf(events)).toEqual([expect.objectContaining({ status: 'tested' })]);
        expect(events.some((event) => event.kind === 'checks' && event.lookedFor.length > 0)).toBe(true);
        expect(events.at(-1)).toEqual({ kind: 'end' });
        for (const finding of findingsOf(events)) expect(ParsedFinding.parse(finding)).toEqual(finding);
      } finally {
        await service.close();
      }
    });

    if (!harness.runsElsewhere) describeConnections(harness);

    it('stops when it is aborted in the middle and leaves nothing running', async () => {
      const abort = new AbortController();
      const reason = new AppError('scan_aborted', 'The test stopped it.');
      const service = await listen((socket) => socket.resume());
      try {
        const onProgress = (): void => abort.abort(reason);
        const run = runScanner(create(), [loopbackPort(service.port)], { request, signal: abort.signal, onProgress });
        await expect(run).rejects.toBe(reason);
        await service.allClosed();
        expect((await harness.leftovers?.()) ?? []).toEqual([]);
      } finally {
        await service.close();
      }
    });

    it('starts nothing when it is aborted before it begins', async () => {
      const service = await listen((socket) => socket.resume());
      try {
        const reason = new AppError('scan_aborted', 'Too late.');
        const signal = AbortSignal.abort(reason);
        await expect(runScanner(create(), [loopbackPort(service.port)], { request, signal })).rejects.toBe(reason);
        expect(service.connections()).toBe(0);
      } finally {
        await service.close();
      }
    });

    for (const [fault, report] of Object.entries(harness.hostileReports)) {
      it(`refuses a report with ${fault} and names the place`, async () => {
        await expect(parseAll(create(), report)).rejects.toMatchObject({
          code: 'report_unreadable',
          message: expect.stringMatching(/\b(line|byte|position) \d+/),
        });
      });
    }

    it('never takes a report that was cut short for one that ended', async () => {
      const service = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
      try {
        const scanner = create();
        const { report } = await runScanner(scanner, [loopbackPort(service.port)], { request });
        for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
          const events = await eventsBeforeFailure(scanner, report.subarray(0, Math.floor(report.length * share)));
          expect(events.filter(({ kind }) => kind === 'end')).toEqual([]);
        }
      } finally {
        await service.close();
      }
    });
  });
}

/** What holds for engines that talk to targets themselves. */
function describeConnections({ create, request, leftovers }: ScannerHarness): void {
  it('takes a refused connection for positive evidence, without an open port', async () => {
    const scanner = create();
    const { report } = await runScanner(scanner, [loopbackPort(await freePort())], { request });
    const events = await parseAll(scanner, report);
    expect(placesOf(events)).toEqual([expect.objectContaining({ status: 'tested' })]);
    expect(findingsOf(events)).toEqual([]);
  });

  for (const [behaviour, serve] of Object.entries(HOSTILE_SERVICES)) {
    it(`comes to an end and names one honest place when a service ${behaviour}`, async () => {
      const service = await listen(serve);
      try {
        const scanner = create();
        const { report } = await runScanner(scanner, [loopbackPort(service.port)], { request });
        const events = await parseAll(scanner, report);
        expect(placesOf(events)).toEqual([
          expect.objectContaining({ status: expect.stringMatching(/^(tested|partial)$/) }),
        ]);
        await service.allClosed();
      } finally {
        await service.close();
      }
    });
  }

  it('stops when it is aborted and leaves nothing running', async () => {
    const service = await listen((socket) => socket.resume());
    try {
      const abort = new AbortController();
      const reason = new AppError('scan_aborted', 'The test stopped it.');
      const run = runScanner(create(), [loopbackPort(service.port)], { request, signal: abort.signal });
      const stopped = expect(run).rejects.toBe(reason);
      await service.firstConnection;
      abort.abort(reason);
      await stopped;
      await service.allClosed();
      expect((await leftovers?.()) ?? []).toEqual([]);
    } finally {
      await service.close();
    }
  });
}

/** What a damaged report still gives; a refusal of the rest must be a coded one. */
async function eventsBeforeFailure(scanner: Scanner, report: Uint8Array): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  try {
    for await (const event of scanner.parse(Readable.from([Buffer.from(report)], { objectMode: false })))
      events.push(event);
  } catch (error) {
    expect(error).toMatchObject({ code: 'report_unreadable' });
  }
  return events;
}
