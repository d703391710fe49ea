import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../../src/model/errors.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { RawReport, RunContext, ScanJob, Scanner, ScannerType } from '../../src/scanners/scanner.ts';

const Settings = z.strictObject({
  answer_timeout_ms: z.int().min(100).max(60_000).default(3_000),
  default_port: z.int().min(1).max(65_535).default(22),
});
type Settings = z.infer<typeof Settings>;

/** One line of the raw report. */
const Line = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answered'), ip: z.string(), port: z.int(), banner: z.string() }),
  z.strictObject({ kind: z.literal('silent'), ip: z.string(), reason: z.string() }),
  z.strictObject({ kind: z.literal('end') }),
]);
type Line = z.infer<typeof Line>;

const MAX_BANNER = 500;
const LOOKS_FOR = 'services that announce themselves';

/** Asks every address for the first words its service says. */
export const banner: ScannerType<Settings> = {
  capabilities: {
    engine: 'banner',
    targetKinds: ['host'],
    authenticated: false,
    adoptable: false,
    intensities: ['light', 'standard', 'intrusive'],
    options: [],
    looksFor: [LOOKS_FOR],
  },
  settings: Settings,
  create: (settings): Scanner => ({
    probe: () => Promise.resolve({ status: 'healthy', canLaunch: true }),
    run: (job, ctx) => run(job, ctx, settings),
    parse,
  }),
};

async function run(job: ScanJob, ctx: RunContext, settings: Settings): Promise<RawReport> {
  const write = async (line: Line): Promise<void> => {
    if (!ctx.report.write(`${JSON.stringify(line)}\n`)) await once(ctx.report, 'drain');
  };
  try {
    for (const [index, { target, addresses }] of job.targets.entries()) {
      const port = 'port' in target && target.port !== undefined ? target.port : settings.default_port;
      for (const ip of addresses) await write(await firstWords(ip, port, settings.answer_timeout_ms, ctx.signal));
      const percent = (100 * (index + 1)) / job.targets.length;
      ctx.progress({ percent, phase: 'listening', hostsDone: index + 1, estimated: false });
    }
    await write({ kind: 'end' });
    return { whole: true };
  } finally {
    // Also when aborted: what was written so far is the partial result.
    ctx.report.end();
    await finished(ctx.report);
  }
}

async function firstWords(ip: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  const socket = connect({ host: ip, port });
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const [chunk]: unknown[] = await once(socket, 'data', { signal: limit });
    return { kind: 'answered', ip, port, banner: String(chunk).slice(0, MAX_BANNER) };
  } catch {
    signal.throwIfAborted(); // Ours to pass on; anything else is an answer about the target.
    return { kind: 'silent', ip, reason: `no words from port ${port}` };
  } finally {
    socket.destroy();
  }
}

async function* parse(report: Readable): AsyncIterable<ReportEvent> {
  yield { kind: 'checks', lookedFor: [LOOKS_FOR], notLookedFor: [] };
  let number = 0;
  for await (const text of createInterface({ input: report })) {
    number += 1;
    yield* eventsOf(lineOf(text, number));
  }
}

function lineOf(text: string, number: number): Line {
  try {
    return Line.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('report_unreadable', `banner report, line ${number}.`, { cause });
  }
}

function* eventsOf(line: Line): Iterable<ReportEvent> {
  if (line.kind === 'end') yield { kind: 'end' };
  if (line.kind === 'silent')
    yield { kind: 'place', place: { place: line.ip, status: 'unreachable', reason: line.reason } };
  if (line.kind !== 'answered') return;
  yield { kind: 'place', place: { place: line.ip, status: 'tested' } };
  const finding = ParsedFinding.parse({
    rule_id: 'banner',
    title: 'The service announces itself',
    severity: 'info',
    severity_source: 'rule',
    location: { ip: line.ip, port: line.port, protocol: 'tcp' },
    untrusted: { banner: line.banner },
  });
  yield { kind: 'finding', finding };
}
