import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { EngineProgress, RunContext, ScanJob } from '../../src/scanners/scanner.ts';
import { banner } from './banner-engine.ts';

const page = readFileSync('docs/adding-a-scanner.md', 'utf8');
const engine = banner.create(banner.settings.parse({ answer_timeout_ms: 10_000 }));

/** A service on loopback that greets everyone. */
async function greeter(greet: (socket: Socket) => void): Promise<number> {
  const server = createServer(greet);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function jobFor(ports: readonly number[]): ScanJob {
  const targets = ports.map((port) => ({
    target: { kind: 'address', text: `127.0.0.1:${port}`, address: '127.0.0.1', port } as const,
    addresses: ['127.0.0.1'],
  }));
  return {
    scanId: newScanId(),
    traceId: newTraceId(),
    epoch: 1,
    targets,
    request: {
      access: 'untrusted',
      targets: targets.map(({ target }) => target.text),
      pool: 'banner',
      intensity: 'light',
      priority: 5,
      max_duration_minutes: 1,
    },
  };
}

function context(signal: AbortSignal): { ctx: RunContext; report: PassThrough; seen: EngineProgress[] } {
  const report = new PassThrough();
  const seen: EngineProgress[] = [];
  const ctx: RunContext = {
    signal,
    report,
    previous: undefined,
    checkpoint: () => Promise.resolve(),
    progress: (progress) => void seen.push(progress),
  };
  return { ctx, report, seen };
}

async function eventsOf(report: string): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of engine.parse(Readable.from([report]))) events.push(event);
  return events;
}

describe('the engine of docs/adding-a-scanner.md', () => {
  it('is printed there exactly as it runs here', () => {
    const source = readFileSync('test/docs/banner-engine.ts', 'utf8');
    const asPrinted = source
      .replaceAll("'../../src/scanners/scanner.ts'", "'../scanner.ts'")
      .replaceAll('../../src/', '../../');
    expect(page).toContain(`\`\`\`ts\n${asPrinted}\`\`\``);
  });

  it('finds what a service says, as untrusted text made safe to show', async () => {
    const port = await greeter((socket) => socket.write('220 ready \u001B[31m'));
    const { ctx, report, seen } = context(new AbortController().signal);
    const written = text(report);
    expect(await engine.run(jobFor([port]), ctx)).toEqual({ whole: true });
    const events = await eventsOf(await written);
    expect(events.map(({ kind }) => kind)).toEqual(['checks', 'place', 'finding', 'end']);
    expect(events[1]).toEqual({ kind: 'place', place: { place: '127.0.0.1', status: 'tested' } });
    expect(events[2]).toMatchObject({
      finding: { location: { ip: '127.0.0.1', port }, untrusted: { banner: '220 ready \\u{1b}[31m' } },
    });
    expect(seen.at(-1)).toMatchObject({ percent: 100, hostsDone: 1 });
  });

  it('keeps what it found before it was stopped, without the last word', async () => {
    const stop = new AbortController();
    const first = await greeter((socket) => socket.write('hello'));
    const second = await greeter(() => stop.abort(new Error('cancelled')));
    const { ctx, report } = context(stop.signal);
    const written = text(report);
    await expect(engine.run(jobFor([first, second]), ctx)).rejects.toThrow('cancelled');
    const events = await eventsOf(await written);
    expect(events.map(({ kind }) => kind)).toEqual(['checks', 'place', 'finding']);
  });

  it('refuses a report it cannot read and names the line', async () => {
    await expect(eventsOf('{"kind":"end"}\n<html>\n')).rejects.toMatchObject({
      code: 'report_unreadable',
      message: 'banner report, line 2.',
    });
  });
});
